using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>
/// What a stage works from: the run and the iteration as the record has them. The <c>…Stage</c> classes compute a stage's event from it and
/// record nothing, so that an activity and a replay do the very same.
/// </summary>
public sealed record StageInputs(IterationRef Iteration, RunState Run, IterationState State)
{
    public RunConfig Config => Run.Config;

    public int Number => Iteration.Number;

    public static async Task<StageInputs> ReadAsync(Ledger ledger, IterationRef iteration, CancellationToken token) =>
        new(iteration, await ledger.RunAsync(iteration.Run, token), await ledger.IterationAsync(iteration.Run, iteration.Number, token));
}
