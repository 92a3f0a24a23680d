using System.CommandLine;
using System.Text.Json;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt feedback</c>: the samples of a run that have no label, and what becomes of them.</summary>
internal static class FeedbackCommand
{
    public static Command Create() =>
        new Command("feedback", "See the samples that have no label yet; have them judged again, or label them by hand.")
        {
            Quarantine(), SignalCommands.RetryFeedback(), Export(), Import(),
        };

    private static Command Quarantine()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var command = new Command("quarantine", "Count the samples that wait for a label, by what they wait for.") { run, json };
        command.SetAction(async (parsed, token) =>
        {
            var (id, home) = (RunId.Check(parsed.GetValue(run)!), AltHome.Find());
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var open = await record.AskAsync(l => new Labelling(l, new ArtifactStore(home.Artifacts)).OpenAsync(id, token), token);
            var waiting = open.GroupBy(s => s.Waits).OrderBy(g => g.Key, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => g.Select(s => new SampleRef(id, s.Id).ToString()).ToArray());
            var closed = new SortedDictionary<int, int>();
            for (var n = 1; n <= (await record.AskAsync(l => l.RunAsync(id, token), token)).IterationsFinished; n++)
            {
                if ((await record.AskAsync(l => l.IterationAsync(new(id, n), token), token)).Feedback is { } feedback
                    && feedback.Unparsed + feedback.Failed is > 0 and var without)
                {
                    closed[n] = without;
                }
            }

            new Output(parsed.GetValue(json)).Result(new { runId = id, waiting, closed }, console =>
            {
                foreach (var (kind, samples) in waiting)
                {
                    console.WriteLine($"{samples.Length} {kind}: {string.Join(", ", samples.Take(3))}{(samples.Length > 3 ? ", …" : "")}");
                }

                foreach (var (iteration, without) in closed)
                {
                    console.WriteLine($"iteration {iteration} continued without {without}, which stay out");
                }

                if (waiting.Count == 0)
                {
                    console.WriteLine("no sample waits for a label");
                }
            });
            return 0;
        });
        return command.WithExamples("./alt feedback quarantine second");
    }

    private static Command Export()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var file = new Option<string>("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        var command = new Command("export", "Write the samples that wait for a label, with their texts, as JSON lines for people to label.")
        {
            run, file, json
        };
        command.SetAction(async (parsed, token) =>
        {
            var (id, open) = await OpenAsync(parsed.GetValue(run)!, token);
            var path = parsed.GetValue(file)!;
            await WholeFile.WriteAsync("--out", path, async stream =>
            {
                await using var writer = new StreamWriter(stream, leaveOpen: true);
                foreach (var sample in open)
                {
                    await writer.WriteLineAsync(JsonSerializer.Serialize(sample, AltJson.Options).AsMemory(), token);
                }

                return open.Count;
            });
            new Output(parsed.GetValue(json)).Result(new { runId = id, file = path, samples = open.Count }, console =>
                console.WriteLine(
                    $"{open.Count} samples in {path}; add \"reward\", \"tag\" or \"veto\" to each line that you have an opinion on, then "
                    + $"./alt feedback import {id} {path} --author NAME"));
            return 0;
        });
        return command.WithExamples("./alt feedback export second --out label-these.jsonl");
    }

    private static Command Import()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var file = new Argument<string>("FILE")
        {
            Description =
            """JSON lines as exported, each with "reward" (a number, higher is better), "tag" (one of the run's) or "veto" (true), and "feedback" in own words where wanted."""
        };
        var author = new Option<string>("--author")
        {
            Description = "Who gives the labels; recorded with each.",
            HelpName = "NAME",
            Required = true
        };
        var reason = new Option<string?>("--reason") { Description = "Why; recorded with each.", HelpName = "TEXT" };
        var command = new Command("import", "Record labels by people. They take precedence over every judge.")
        {
            run, file, author, reason, json
        };
        command.SetAction(async (parsed, token) =>
        {
            var (id, home) = (RunId.Check(parsed.GetValue(run)!), AltHome.Find());
            var labels = LabelFile.Read(parsed.GetValue(file)!);
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var recorded = await new Labelling(record.Ledger, new ArtifactStore(home.Artifacts))
                .RecordAsync(id, new GivenLabels(labels, parsed.GetValue(author)!, parsed.GetValue(reason)), token);
            new Output(parsed.GetValue(json)).Result(new { runId = id, labels = recorded }, console =>
                console.WriteLine($"{recorded} labels recorded; ./alt resume {id} continues with them"));
            return 0;
        });
        return command.WithExamples("./alt feedback import second labelled.jsonl --author \"A. Reader\" --reason \"second opinion\"");
    }

    private static async Task<(string Run, IReadOnlyList<OpenSample> Open)> OpenAsync(string run, CancellationToken token)
    {
        var (id, home) = (RunId.Check(run), AltHome.Find());
        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        return (id, await record.AskAsync(l => new Labelling(l, new ArtifactStore(home.Artifacts)).OpenAsync(id, token), token));
    }
}
