using System.CommandLine;
using Alt.Domain;
using Alt.Host.Progress;
using Alt.Host.Supervisor;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using Spectre.Console;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Host.Commands;

/// <summary>
/// <c>alt status</c>: what the record says of a run, corrected by what is alive now. A record cannot know that its worker was killed,
/// so it shows "running" only if a worker is alive and the server has the run open.
/// </summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var run = new Argument<string?>("RUN")
        {
            Description = "The run's id. Default: all runs, the latest first.",
            Arity = ArgumentArity.ZeroOrOne
        };
        run.RefuseUnknownOptions();
        var json = Options.Json();
        var command = new Command("status", "List the runs, how far each is, and whether a worker works on it.") { run, json };
        command.SetAction((parsed, token) => RunAsync(new Output(parsed.GetValue(json)), parsed.GetValue(run), token));
        return command.WithExamples("./alt status", "./alt status quickstart-1121-1002 --json");
    }

    private static async Task<int> RunAsync(Output output, string? run, CancellationToken token)
    {
        var home = AltHome.Find();
        if (run is null && !Directory.Exists(home.Postgres))
        {
            return WriteAll(output, []);
        }

        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        var ledger = record.Ledger;
        using var logs = Logs.Open(home, "status");
        var client = await ConnectAsync(home, logs, token);
        if (run is not null)
        {
            var status = await StatusOf.ReadAsync(home, ledger, client, RunId.Check(run), token);
            output.Result(status, console => console.WriteLine(status.Line));
            return 0;
        }

        var all = new List<StatusOf>();
        foreach (var id in await ledger.RunsAsync(token))
        {
            all.Add(await StatusOf.ReadAsync(home, ledger, client, id, token));
        }

        return WriteAll(output, all);
    }

    private static int WriteAll(Output output, IReadOnlyList<StatusOf> runs)
    {
        output.Result(new { runs }, console =>
        {
            foreach (var status in runs)
            {
                console.WriteLine(status.Line);
            }

            if (runs.Count == 0)
            {
                console.WriteLine("no runs yet; ./alt run starts one");
            }
        });
        return 0;
    }

    /// <returns>null if no process owns the services, or the server does not answer.</returns>
    private static async Task<ITemporalClient?> ConnectAsync(AltHome home, ILoggerFactory logs, CancellationToken token)
    {
        if (!RunServices.IsOwned(home))
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(token);
        patience.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            return await TemporalConnection.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), patience.Token);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <param name="State">The recorded state, or "interrupted" for a run that should be running while no worker works on it.</param>
    /// <param name="Iteration">The iteration under way, or the next one.</param>
    private sealed record StatusOf(
        string RunId, string State, int Iteration, int Iterations, string? Stage, int? Chunk, int? Chunks, long? Done, long? Total,
        string? Unit, double? PerSecond,
        double? SecondsLeft, string? Failure, string? Trouble, string? Continue, RunOrigin? Origin)
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public string Line { get; private init; } = "";

        public static async Task<StatusOf> ReadAsync(
            AltHome home, Ledger ledger, ITemporalClient? client, string id, CancellationToken token)
        {
            var state = await ledger.RunAsync(id, token);
            var snapshot = client is null ? null : await SnapshotAsync(client, id, token);
            if (state.Status == RunStatus.Missing && snapshot is null or { Closed: true })
            {
                throw new InputException($"no run '{id}'; ./alt status lists the runs");
            }

            var live = snapshot is { Closed: false } && home.IsHeld(WorkerCommand.LockName);
            var word = state.Status is RunStatus.Running or RunStatus.Missing
                ? live ? "running" : "interrupted"
                : state.Status.ToString().ToLowerInvariant();
            var goOn = word switch
            {
                "interrupted" or "stopped" => $"./alt run --run-id {id}",
                "failed" => $"./alt retry {id}",
                "paused" => $"./alt resume {id}",
                _ => null,
            };
            var iterations = state.Started?.Config.Iterations ?? 0;
            var detail = word switch
            {
                "running" => ProgressText.LineOf(snapshot!),
                "failed" => state.Failure!.Explained,
                "paused" when state.Hold is { } hold => $"waits: {HoldText.Of(hold, id)}",
                "finished" => $"{iterations} iterations; ./alt report {id}",
                _ => $"{state.IterationsFinished} of {iterations + 1} evaluations "
                    + $"done{(state.Started?.Origin is { Iteration: > 0 } past ? $", {past.Iteration} of them by {past.Run}" : "")}",
            };
            return new(
                id, word, Math.Min(state.IterationsFinished, iterations), iterations,
                snapshot?.Iteration?.Stage.ToString() ?? snapshot?.Run?.Phase.ToString(), snapshot?.Iteration?.ChunksDone,
                snapshot?.Iteration?.Chunks,
                snapshot?.Work?.Done, snapshot?.Work?.Total, snapshot?.Work?.Unit, snapshot?.Work?.PerSecond, snapshot?.Left?.TotalSeconds,
                state.Status == RunStatus.Failed ? state.Failure?.Reason : null, snapshot?.Trouble, goOn, state.Started?.Origin)
            {
                Line = $"{id}: {word} · "
                    + $"{detail}{(state.Started?.Origin is { } origin ? $" · fork of {origin.Run} at iteration {origin.Iteration}" : "")}"
                    + $"{(goOn is null ? "" : $" · continue with {goOn}")}",
            };
        }

        private static async Task<RunSnapshot?> SnapshotAsync(ITemporalClient client, string id, CancellationToken token)
        {
            try
            {
                return await new ProgressReader(client, id).ReadAsync(token);
            }
            catch (RpcException e) when (e.Code is RpcException.StatusCode.NotFound
                or RpcException.StatusCode.Unavailable or RpcException.StatusCode.DeadlineExceeded)
            {
                return null;
            }
        }
    }
}
