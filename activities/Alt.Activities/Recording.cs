using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>What every stage's activity does around its work, so that a retry repeats nothing.</summary>
internal static class Recording
{
    /// <summary>
    /// Returns the iteration's fact: the recorded one, or the one that <paramref name="compute"/> makes and this records.
    /// </summary>
    /// <param name="recorded">Finds the fact in the iteration.</param>
    /// <param name="log">Called with a fact that was computed.</param>
    public static async Task<T> OnceAsync<T>(
        this Ledger ledger, IterationRef iteration, Func<IterationState, T?> recorded, Func<StageInputs, Task<T>> compute, Action<T> log,
        CancellationToken token)
        where T : IterationEvent
    {
        var inputs = await StageInputs.ReadAsync(ledger, iteration, token);
        if (recorded(inputs.State) is { } known)
        {
            StageLog.Log.RecordedAlready(typeof(T).Name);
            return known;
        }

        var fact = await ledger.RecordAsync(iteration, recorded, await compute(inputs), token);
        log(fact);
        return fact;
    }
}
