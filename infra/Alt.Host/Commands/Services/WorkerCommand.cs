using System.CommandLine;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Microsoft.Extensions.Logging;

namespace Alt.Host.Commands;

/// <summary>
/// <c>alt worker</c>: the process that does the work of all runs of this home. <c>alt run</c> starts it and keeps it alive.
/// </summary>
internal static class WorkerCommand
{
    /// <summary>Held for as long as a worker lives; <c>alt status</c> checks it.</summary>
    public const string LockName = "worker";

    /// <summary>
    /// How long a worker may take to end. One whose server ended with the parent would ask that server for more than a minute to end its
    /// polls, and the process that starts the next worker waits meanwhile.
    /// </summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var supervised = new Option<bool>(ChildProcess.Supervised) { Hidden = true };
        var command = new Command("worker", "Do the work of all runs until Ctrl-C (alt run starts a worker by itself).") { supervised };
        var (temporal, flags) = (new TemporalFlags(command), new WorkerFlags(command));
        command.SetAction((parsed, token) => parsed.GetValue(supervised)
            ? SuperviseAsync(flags.Read(parsed))
            : ServeAsync(temporal.Read(parsed), flags.Read(parsed), new Output(json: false), token));
        return command.WithExamples(
            "./alt worker --temporal temporal.example.org:7233", "./alt worker --slots alt-feedback=8 --metrics-prometheus 127.0.0.1:9464");
    }

    private static async Task<int> ServeAsync(string? temporal, WorkerSettings settings, Output output, CancellationToken token)
    {
        var home = AltHome.Find();
        using var only = FileLock.TryTake(home.Lock(LockName), exclusive: true)
            ?? throw new InputException("worker: another worker of this folder runs; one does the work of all runs");
        if (temporal is not null)
        {
            new TemporalEndpoint(temporal, Outside: true).Write(home);
        }

        try
        {
            await WorkAsync(
                home, settings, () => output.Say($"working for the Temporal server {TemporalEndpoint.Read(home)?.Address}; Ctrl-C ends it"),
                token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            output.Say("The worker has ended; the next one repeats what it had begun.");
        }

        return 0;
    }

    private static async Task<int> SuperviseAsync(WorkerSettings settings)
    {
        using var parent = ParentWatch.Start();
        var token = parent.Gone;
        var home = AltHome.Find();
        try
        {
            // One worker per home: this waits for a predecessor that is still ending.
            using var only = await FileLock.TakeAsync(home.Lock(LockName), exclusive: true, token);
            await WorkAsync(home, settings, () => Console.WriteLine(ChildProcess.Ready), token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The parent has ended, and the work with it.
        }

        return 0;
    }

    private static async Task WorkAsync(AltHome home, WorkerSettings settings, Action ready, CancellationToken token)
    {
        using var logs = Logs.Open(home, "worker");
        using var telemetry = Telemetry.Start("alt-worker");
        await using var record = await LedgerConnection.OpenAsync(home, token);
        new ArtifactStore(home.Artifacts).DeleteAbandonedTemporaryFiles();
        var client = await TemporalConnection.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), token, settings.Metrics);
        var working = Worker.RunAsync(client, record, home, logs, settings, ready, token);
        if (await Task.WhenAny(working, OutOfPatienceAsync(token)) != working)
        {
            // The process ends while the rest still runs; the record, and with it PostgreSQL, is closed properly.
            logs.CreateLogger(nameof(WorkerCommand)).LogWarning(
                "The worker did not end within {Seconds} s: its server is unreachable, or an activity does not stop", Grace.TotalSeconds);
            throw new OperationCanceledException(token);
        }

        await working;
    }

    private static async Task OutOfPatienceAsync(CancellationToken token)
    {
        await Task.Delay(Timeout.Infinite, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.Delay(Grace, CancellationToken.None);
    }
}
