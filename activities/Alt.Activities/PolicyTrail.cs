using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Which weights a run had at which time.</summary>
public static class PolicyTrail
{
    /// <summary>The policy after an iteration; after iteration 0 that is the base model.</summary>
    /// <exception cref="InputException">The iteration has not been trained.</exception>
    public static async Task<(ArtifactRef Checkpoint, string WeightsHash)> AfterAsync(
        Ledger ledger, string run, int iteration, CancellationToken token)
    {
        if (iteration == 0 && (await ledger.ExistingRunAsync(run, token)).Base is { } start)
        {
            return (start.Checkpoint, start.WeightsHash);
        }

        return iteration > 0 && (await ledger.IterationAsync(new(run, iteration), token)).Training is { } trained
            ? (trained.Checkpoint, trained.WeightsHash)
            : throw new InputException(
                $"run '{run}' has no policy after iteration {iteration} yet; `./alt status {run}` shows how far it is");
    }
}
