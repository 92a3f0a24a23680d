using System.CommandLine;
using System.Diagnostics;
using Alt.Activities;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt replay</c>: derives an iteration's decisions again from the record and compares them with the recorded ones.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var run = Options.Run();
        var iteration = new Option<int>("--iteration")
        {
            Description = "Which iteration; 0 is the base model's evaluation.",
            HelpName = "K",
            Required = true
        };
        var execute = new Option<bool>("--execute") { Description = "Also sample, judge, train and evaluate again, in a scratch space." };
        var keep = new Option<bool>("--keep") { Description = "Leave the scratch space with everything derived where it is." };
        var json = Options.Json();
        var command = new Command("replay", "Derive an iteration's decisions again from the record; exit code 1 where they differ.")
        {
            run, iteration, execute, keep, json
        };
        command.SetAction((parsed, token) => RunAsync(
            new Output(parsed.GetValue(json)), RunId.Check(parsed.GetValue(run)!), parsed.GetValue(iteration), parsed.GetValue(execute),
            parsed.GetValue(keep), token));
        return command.WithExamples(
            "./alt replay quickstart-1121-1002 --iteration 3", "./alt replay quickstart-1121-1002 --iteration 3 --execute --json");
    }

    private static async Task<int> RunAsync(Output output, string run, int iteration, bool execute, bool keep, CancellationToken token)
    {
        var home = AltHome.Find();
        using var logs = Logs.Open(home, "replay");
        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        await record.Ledger.ExistingRunAsync(run, token);
        var inputs = await StageInputs.OfMakerAsync(record.Ledger, new IterationRef(run, iteration), token);
        if (!inputs.State.Begun)
        {
            throw new InputException(
                $"--iteration {iteration}: run '{run}' has recorded nothing of it; ./alt status {run} shows how far it is");
        }

        using var scratch = await Scratch.CreateAsync(home, $"{run}-{iteration}", keep, token);
        var artifacts = new ArtifactStore(Path.Combine(scratch.Folder, "artifacts"), below: new ArtifactStore(home.Artifacts));
        using var policies = new Policies(artifacts, Path.Combine(scratch.Folder, "models"));
        await using var calls = await record.OpenCallsAsync(logs, token);
        var classifiers = new Classifiers(artifacts);
        using var checkpoints = new Checkpoints();
        var clock = Stopwatch.StartNew();
        var events = new List<ReplayedEvent>();
        await foreach (
            var replayed in new Replay(record.Ledger, artifacts, policies, classifiers, new Judges(classifiers, checkpoints, calls))
                .DeriveAsync(inputs, execute, token))
        {
            events.Add(replayed);
            if (execute)
            {
                output.Say(LineOf(replayed));
            }
        }

        var different = events.FirstOrDefault(e => !e.Equal);
        output.Result(
            new ReplayResult(
                run, iteration, execute, different is null, events, different, keep ? scratch.Folder : null, clock.Elapsed.TotalSeconds),
            console =>
            {
                foreach (var replayed in events)
                {
                    console.WriteLine(LineOf(replayed));
                }

                console.WriteLine(
                    $"iteration {iteration} of {run}: {events.Count(e => e.Equal)} of {events.Count} events derived as they are "
                    + $"recorded{(keep ? $"; kept in {scratch.Folder}" : "")}");
            });
        return different is null
            ? 0
            : throw new HostException($"iteration {iteration} of run '{run}' differs from its record: {LineOf(different)}");
    }

    private static string LineOf(ReplayedEvent replayed) =>
        $"{replayed.Stage} · {replayed.Event}{(replayed.Chunk is { } chunk ? $" {chunk}" : "")}: "
        + $"{(replayed.Difference is { } difference ? Explain(difference) : "equal")}";

    private static string Explain(EventDifference difference)
    {
        var where = difference.At is not { } at ? ""
            : $", first in line {at.Line}{(at.Id is null ? "" : $" ({at.Id})")}: {(at.Field.Length == 0 ? "" : $"{at.Field} ")}recorded "
                + $"{at.Recorded}, derived {at.Derived}";
        return $"{difference.Field} is recorded as {difference.Recorded}, derived as {difference.Derived}{where}";
    }

    private sealed record ReplayResult(
        string RunId, int Iteration, bool Executed, bool Equal, IReadOnlyList<ReplayedEvent> Events, ReplayedEvent? FirstDifference,
        string? Scratch, double Seconds);
}
