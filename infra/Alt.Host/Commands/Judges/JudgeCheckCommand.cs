using System.CommandLine;
using System.Globalization;
using System.Text.Json.Serialization;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt judge check</c>: tries a config's judge on texts whose labels are known, before a run relies on it.</summary>
internal static class JudgeCheckCommand
{
    public static Command Create()
    {
        var config = new Argument<string>("CONFIG") { Description = "The experiment's YAML file, for its feedback section." };
        var file = new Argument<string>("LABELLED")
        {
            Description =
            """JSON lines {"prompt","text","tag" or "reward"}, with a tag of the config or a reward in [0, 1], and "reference" where there is a right answer."""
        };
        var repeats = new Option<int>("--repeats")
        {
            Description = "How often each text is judged; 2 or more measure consistency.",
            HelpName = "N",
            DefaultValueFactory = _ => 1
        };
        repeats.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<int>() is < 1 or > 100)
            {
                r.AddError("--repeats: expected 1 to 100");
            }
        });
        var (settings, json) = (Options.Set(), Options.Json());
        var command = new Command(
            "check",
            "Judge texts whose labels are known: agreement, confusion matrix, "
            + "consistency on repeats, and cost.") { config, file, repeats, settings, json };
        command.SetAction(async (parsed, token) =>
        {
            var run = RunConfigFile.Read(parsed.GetValue(config)!, parsed.GetValue(settings)!);
            if (run.Feedback.Judge is JudgeConfig.Human or JudgeConfig.RewardModel)
            {
                throw new InputException(
                    "feedback.judge: people and a run's own reward model cannot be tried before a run; expected a judge such as llm, "
                    + "scorer, perspective, checkpoint, rules or r3");
            }

            var samples = Read(parsed.GetValue(file)!, run.QuantileFeedback().Tags);
            var home = AltHome.Find();
            using var logs = Logs.Open(home, "judge");
            await using var record = await LedgerConnection.OpenAsync(home, token);
            await using var calls = await record.OpenCallsAsync(logs, token);
            using var checkpoints = new Checkpoints();
            var judges = new Judges(new Classifiers(new ArtifactStore(home.Artifacts)), checkpoints, calls);
            var check = new JudgeCheck(judges, () =>
                throw new InputException("feedback.judge: an ensemble with a run's own reward model cannot be tried before a run"));
            var result = await RunAsync(() => check.RunAsync(run, samples, parsed.GetValue(repeats), token));
            new Output(parsed.GetValue(json)).Result(result, console => Write(console, result));
            return 0;
        });
        return command.WithExamples("./alt judge check experiment.yaml labelled.jsonl --repeats 3");
    }

    private static async Task<JudgeCheckResult> RunAsync(Func<Task<JudgeCheckResult>> check)
    {
        try
        {
            return await check();
        }
        catch (HoldException e)
        {
            throw new InputException(
                "feedback.budget: the check would cost more than that; raise it with --set feedback.budget.run=USD, or judge fewer texts",
                e);
        }
    }

    private static void Write(IAnsiConsole console, JudgeCheckResult result)
    {
        var agreement = result.Agreement;
        console.WriteLine(
            Invariant($"{result.Judge} {result.Version}: {agreement.Samples} texts, {result.Calls} calls, {result.Cost:0.0000} USD"));
        console.WriteLine(
            Invariant($"agreement {agreement.Agreement:0.000}{(agreement.Kappa is { } kappa ? $", Cohen's kappa {kappa:0.000}" : "")}"));
        if (agreement is { Consistency: { } consistency, Contradictions: { } contradictions })
        {
            console.WriteLine(Invariant($"the same on repeats {consistency:0.000}, two levels or more apart {contradictions:0.000}"));
        }

        var table = new Table().Border(TableBorder.Simple).AddColumn("known \\ said");
        foreach (var level in result.Levels.Append("no label"))
        {
            table.AddColumn(Markup.Escape(level));
        }

        foreach (var (level, row) in result.Levels.Zip(agreement.Confusion))
        {
            table.AddRow([Markup.Escape(level), .. row.Select(n => n.ToString(CultureInfo.InvariantCulture))]);
        }

        console.Write(table);
    }

    private static IReadOnlyList<KnownSample> Read(string path, IReadOnlyList<string> tags) => JsonLinesFile.Read(
        path,
        "JSON lines with prompt, text and tag or reward",
        """not a labelled text; expected {"prompt":"…","text":"…","tag":"…"} or "reward" in place of the tag""",
        (Row row, string place) => new KnownSample(row.Prompt, row.Text, LevelOf(row, place, tags), row.Reference));

    private static int LevelOf(Row row, string place, IReadOnlyList<string> tags) => (row.Tag, row.Reward) switch
    {
        ({ } tag, null) =>
            tags.Index().Where(t => string.Equals(t.Item, tag, StringComparison.OrdinalIgnoreCase))
                .Select(t => (int?)t.Index).FirstOrDefault()
                    ?? throw new InputException($"{place}: the config has no tag '{tag}'; its tags are {string.Join(", ", tags)}"),
        (null, >= 0 and <= 1 and var reward) => JudgeAgreement.LevelOf(reward, tags.Count),
        _ => throw new InputException($"{place}: expected a tag, or a reward from 0 to 1"),
    };

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private sealed record Row(
        [property: JsonRequired] string Prompt, [property: JsonRequired] string Text, string? Tag = null, double? Reward = null,
        string? Reference = null);
}
