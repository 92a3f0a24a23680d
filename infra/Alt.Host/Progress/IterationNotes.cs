using System.Globalization;

namespace Alt.Host.Progress;

/// <summary>Reports each iteration's results once, as soon as they are recorded.</summary>
internal sealed class IterationNotes(LedgerConnection record, string run, ProgressDisplay display)
{
    private int _next;

    public async Task ShowNewAsync(CancellationToken token)
    {
        var finished = (await record.Ledger.RunAsync(run, token)).IterationsFinished;
        for (; _next < finished; _next++)
        {
            if ((await record.Ledger.IterationAsync(new(run, _next), token)).Evaluation is { } evaluation)
            {
                var m = evaluation.Metrics;
                display.Note(string.Create(CultureInfo.InvariantCulture,
                    $"iteration {_next}{(_next == 0 ? " (base model)" : "")}: toxic share {m.ToxicShare:0.000}, any of n "
                    + $"{m.ToxicityProbability:0.000}, perplexity {m.Perplexity:0.00}, dist-2 {m.Dist2:0.000}, dist-3 {m.Dist3:0.000}"));
            }
        }
    }
}
