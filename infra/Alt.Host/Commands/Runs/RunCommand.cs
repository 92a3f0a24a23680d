using System.CommandLine;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Calls;
using Microsoft.Extensions.Logging;

namespace Alt.Host.Commands;

/// <summary><c>alt run</c>: starts or continues a run, shows its progress and ends with its report.</summary>
internal sealed class RunCommand
{
    private readonly AltHome _home;
    private readonly Output _output;
    private readonly ILoggerFactory _logs;

    private RunCommand(AltHome home, Output output, ILoggerFactory logs) => (_home, _output, _logs) = (home, output, logs);

    public static Command Create()
    {
        var config = new Argument<string?>("CONFIG")
        {
            Description = "The experiment's YAML file. Default: the shipped quickstart, or the config that the run began with.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var runId = new Option<string?>("--run-id")
        {
            Description = "Name of the run. A run that exists continues where it was.",
            HelpName = "ID"
        };
        var (settings, json) = (Options.Set(), Options.Json());
        config.RefuseUnknownOptions();
        var command = new Command("run", "Run an experiment to its report, or continue one that was interrupted.")
        {
            config, settings, runId, json
        };
        var temporal = new TemporalFlags(command);
        command.SetAction(async (parsed, token) =>
        {
            var home = AltHome.Find();
            using var logs = Logs.Open(home, "run");
            return await new RunCommand(home, new Output(parsed.GetValue(json)), logs)
                .RunAsync(parsed.GetValue(config), parsed.GetValue(settings)!, parsed.GetValue(runId), temporal.Read(parsed), token);
        });
        return command.WithExamples(
            "./alt run",
            "./alt run infra/experiments/toxicity-small.yaml --set data.prompts=prompts.jsonl --set seed=2",
            "./alt run --run-id quickstart-1121-1002     (continues)");
    }

    private async Task<int> RunAsync(string? path, string[] settings, string? id, string? temporal, CancellationToken token)
    {
        // What is wrong with the config shows before anything is started.
        var given = id is null || path is not null || settings.Length > 0 ? RunConfigFile.Read(path ?? Quickstart, settings) : null;
        _ = id is null ? null : RunId.Check(id);

        await using var record = await LedgerConnection.OpenAsync(_home, token);
        id ??= RunId.New(given!.Name, DateTime.Now, await record.AskAsync(l => l.RunsAsync(token), token));
        var state = await record.AskAsync(l => l.RunAsync(id, token), token);
        var config = await AgreeAsync(id, state, given, token);
        return await new RunSession(_home, _output, _logs).RunAsync(record, id, state, config, temporal, token);
    }

    private static string Quickstart => Path.Combine(AltHome.Checkout, "infra", "experiments", "quickstart.yaml");

    /// <summary>The config to run with, checked against the one that an existing run began with.</summary>
    private static async Task<RunConfig> AgreeAsync(string id, RunState state, RunConfig? given, CancellationToken token)
    {
        if (state.Started is { } started)
        {
            return given is null || AltJson.Hash(given) == AltJson.Hash(started.Config)
                ? started.Config
                : throw new InputException(
                    $"run '{id}' exists with another config; give another --run-id, or no config to continue with its own");
        }

        var config = given ?? RunConfigFile.Read(Quickstart, []);
        // Missing files and keys show now and not when a worker looks for them.
        await RunInputs.HashFilesAsync(config, token);
        foreach (var place in config.Feedback.Judge.KeyPlaces)
        {
            Secret.Read(place);
        }

        return config;
    }
}
