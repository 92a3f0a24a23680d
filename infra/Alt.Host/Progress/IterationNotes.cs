using System.Globalization;

namespace Alt.Host.Progress;

/// <summary>Says what each iteration came to, once, as soon as the record has it.</summary>
internal sealed class IterationNotes(Record record, string run, ProgressDisplay display)
{
    private int next;

    public async Task ShowNewAsync(CancellationToken token)
    {
        var finished = (await record.Ledger.RunAsync(run, token)).IterationsFinished;
        for (; next < finished; next++)
        {
            if ((await record.Ledger.IterationAsync(run, next, token)).Evaluation is { } evaluation)
            {
                var m = evaluation.Metrics;
                display.Note(string.Create(CultureInfo.InvariantCulture,
                    $"iteration {next}{(next == 0 ? " (base model)" : "")}: toxic share {m.ToxicShare:0.000}, any of n {m.ToxicityProbability:0.000}, perplexity {m.Perplexity:0.00}, dist-2 {m.Dist2:0.000}, dist-3 {m.Dist3:0.000}"));
            }
        }
    }
}
