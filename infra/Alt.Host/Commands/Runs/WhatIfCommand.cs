using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt what-if</c>: the pool and the selection that other settings would have made of the recorded samples.</summary>
internal static class WhatIfCommand
{
    public static Command Create()
    {
        var (run, settings, json) = (Options.Run(), Options.Set(), Options.Json());
        var iteration = new Option<int?>("--iteration")
        {
            Description = "Which iteration. Default: the last one with a selection.",
            HelpName = "K"
        };
        var command = new Command(
            "what-if",
            "Compute the pool and the selection that other settings would make of the recorded samples and rewards; nothing is "
            + "sampled, judged or trained.")
        {
            run, settings, iteration, json,
        };
        command.SetAction((parsed, token) => RunAsync(
            new Output(parsed.GetValue(json)), RunId.Check(parsed.GetValue(run)!), parsed.GetValue(settings)!, parsed.GetValue(iteration),
            token));
        return command.WithExamples(
            "./alt what-if quickstart-1121-1002 --set selection.perQuantile=100",
            "./alt what-if quickstart-1121-1002 --set selection.quantiles=3 --iteration 2");
    }

    private static async Task<int> RunAsync(Output output, string run, string[] settings, int? iteration, CancellationToken token)
    {
        var home = AltHome.Find();
        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        var last = (await record.Ledger.ExistingRunAsync(run, token)).Config.Iterations;
        var inputs = await InputsAsync(record.Ledger, run, iteration, last, token);
        var changed = RunConfigFile.Change(inputs.Config, settings);
        if (RunConfigFile.Differences(inputs.Config, changed)
            .FirstOrDefault(key => SettingEffect.Of(key).Stage is not (Stage.DataPool or Stage.Selection)) is { } key)
        {
            throw new InputException(
                $"--set {key}: the recorded samples and rewards cannot tell what it would change; expected feedback.tags, dataPool.… or "
                + $"selection.…, or try it with ./alt fork {run}");
        }

        var clock = Stopwatch.StartNew();
        var answer = await new WhatIf(record.Ledger, new ArtifactStore(home.Artifacts)).AskAsync(inputs, changed, token);
        output.Result(new Result(run, inputs.Number, settings, answer, clock.Elapsed.TotalSeconds), console =>
            Write(console, run, inputs.Number, answer));
        return 0;
    }

    private static async Task<StageInputs> InputsAsync(Ledger ledger, string run, int? wanted, int last, CancellationToken token)
    {
        for (var number = wanted ?? last; number > 0; number--)
        {
            var inputs = await StageInputs.OfMakerAsync(ledger, new IterationRef(run, number), token);
            if (inputs.State.Selection is not null)
            {
                return inputs;
            }

            if (wanted is not null)
            {
                break;
            }
        }

        throw new InputException(
            $"run '{run}' has no selection{(wanted is null ? "" : $" in iteration {wanted}")}; ./alt status {run} shows how far it is");
    }

    private static void Write(IAnsiConsole console, string run, int iteration, WhatIfAnswer answer)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("tag");
        foreach (var title in new[] { "entries", "would be", "trained on", "would be" })
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        foreach (var tag in answer.Tags)
        {
            table.AddRow([Markup.Escape(tag.Tag), .. new[] { tag.Entries, tag.EntriesIf, tag.Selected, tag.SelectedIf }.Select(n =>
                n.ToString("N0", CultureInfo.InvariantCulture))]);
        }

        console.Write(table);
        var (recorded, counterfactual) = (answer.Recorded, answer.Counterfactual);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"iteration {iteration} of {run}: pool {recorded.PoolHash[..12]} would be {counterfactual.PoolHash[..12]}, "
            + $"{recorded.Entries:N0} entries {counterfactual.Entries:N0}, {recorded.Selected:N0} trained on "
            + $"{counterfactual.Selected:N0}"));
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{answer.Relabelled:N0} samples with another tag, {answer.Added:N0} added, {answer.Removed:N0} removed, "
            + $"{answer.NewlySelected:N0} newly selected, {answer.Dropped:N0} dropped"));
    }

    /// <param name="Settings">As they were given.</param>
    private sealed record Result(string RunId, int Iteration, IReadOnlyList<string> Settings, WhatIfAnswer Answer, double Seconds);
}
