using System.CommandLine;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Host.Commands;

/// <summary><c>alt fork</c>: starts a run that shares another one's recorded past and goes its own way from an iteration on.</summary>
internal static class ForkCommand
{
    public static Command Create()
    {
        var (run, settings, json) = (Options.Run(), Options.Set(), Options.Json());
        var at = new Option<int>("--at")
        {
            Description = "The first iteration of its own; of this one it shares the stages before the first that a setting changes.",
            HelpName = "K",
            Required = true
        };
        var runId = new Option<string?>("--run-id") { Description = "Name of the new run.", HelpName = "NEW" };
        var command = new Command(
            "fork",
            "Start a run that shares another one's recorded past and goes its own way from an iteration on; nothing shared is sampled, "
            + "judged or trained again.")
        {
            run, at, settings, runId, json,
        };
        var temporal = new TemporalFlags(command);
        command.SetAction((parsed, token) => RunAsync(
            new Output(parsed.GetValue(json)), RunId.Check(parsed.GetValue(run)!), parsed.GetValue(at), parsed.GetValue(settings)!,
            parsed.GetValue(runId), temporal.Read(parsed), token));
        return command.WithExamples(
            "./alt fork quickstart-1121-1002 --at 2 --set selection.perQuantile=100 --run-id balanced",
            "./alt fork quickstart-1121-1002 --at 5 --set iterations=6     (continues where it ended)");
    }

    private static async Task<int> RunAsync(
        Output output, string parent, int at, string[] settings, string? id, string? temporal, CancellationToken token)
    {
        _ = id is null ? null : RunId.Check(id);
        var home = AltHome.Find();
        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        var config = RunConfigFile.Change((await record.AskAsync(l => l.ExistingRunAsync(parent, token), token)).Config, settings);
        id ??= RunId.New(config.Name, DateTime.Now, await record.AskAsync(l => l.RunsAsync(token), token));
        var forks = new Forks(record.Ledger);
        var origin = await record.AskAsync(_ => forks.CreateAsync(parent, id, config, at, DateTimeOffset.UtcNow, token), token);
        output.Say($"run {id} shares with {parent} {Shared(origin)}");

        using var logs = Logs.Open(home, "run");
        return await new RunSession(home, output, logs)
            .RunAsync(record, id, await record.AskAsync(l => l.RunAsync(id, token), token), config, temporal, token);
    }

    private static string Shared(RunOrigin origin)
    {
        var iterations = origin.Iteration switch
        {
            0 => "what was prepared",
            1 => "iteration 0",
            var n => $"the iterations 0 to {n - 1}",
        };
        return origin.Iteration == 0 || origin.Stage == Stage.Prompts
            ? iterations
            : $"{iterations}, and of iteration {origin.Iteration} what comes before {origin.Stage}";
    }
}
