using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Puts an iteration's labelled samples into the pool and ranks the whole pool again.</summary>
public sealed class DataPoolStage(Ledger ledger, ArtifactStore artifacts)
{
    /// <exception cref="InvalidOperationException">A sample is in the pool twice.</exception>
    public async Task<IterationEvent.DataPoolUpdated> PoolAsync(StageInputs inputs, CancellationToken token)
    {
        var config = inputs.Config;
        var (quantiles, ranking) = (config.QuantileFeedback().Tags.Count, config.Selection.Ranking);
        var added = await LabelledAsync(inputs.State, token);
        var kept = await KeptAsync(inputs.Iteration, config, token);
        var pool = DataPool.Update(kept, added, quantiles, ranking);
        StageSums.Require(Stage.DataPool, [.. kept.Concat(added).Select(s => s.Id).Distinct()], pool.Select(e => e.Sample.Id));
        return new IterationEvent.DataPoolUpdated(
            await artifacts.PutJsonLinesAsync(pool, token),
            DataPool.Hash(pool),
            pool.Count,
            added.Count,
            [.. Enumerable.Range(0, quantiles).Select(q => pool.Count(e => e.Quantile == q))],
            DataPool.Doubts(pool, quantiles, ranking) is { Any: true } doubts ? doubts : null);
    }

    /// <summary>An iteration's own labelled samples, in the order of the record.</summary>
    public async Task<IReadOnlyList<PoolSample>> LabelledAsync(IterationState state, CancellationToken token)
    {
        var labelled = new List<PoolSample>();
        foreach (var (sampled, judged) in state.Chunks(Stage.Sampling).Zip(state.Chunks(Stage.Feedback)))
        {
            var outcomes = await artifacts.ReadJsonLinesAsync<Judgement>(judged.Result, token)
                .ToDictionaryAsync(j => j.Id, j => j.Outcome, cancellationToken: token);
            await foreach (var sample in artifacts.ReadJsonLinesAsync<Sample>(sampled.Result, token))
            {
                // Only Labelled enters the pool: a judge's failure is not a low reward.
                if (outcomes[sample.Id] is FeedbackOutcome.Labelled label)
                {
                    labelled.Add(new PoolSample(sample.Id, sample.ContentHash(), label.Reward, sample.FinishReason == FinishReason.Length)
                    {
                        Category = label.Category,
                    });
                }
            }
        }

        return labelled;
    }

    /// <summary>The samples kept from the previous iteration.</summary>
    public async Task<IReadOnlyList<PoolSample>> KeptAsync(IterationRef iteration, RunConfig config, CancellationToken token)
    {
        if (!config.DataPool.Accumulate || iteration.Number == 1)
        {
            return [];
        }

        var before = await ledger.IterationAsync(iteration.Before(), token);
        return await artifacts.ReadJsonLinesAsync<PoolEntry>(before.DataPool!.Pool, token).Select(e => e.Sample).ToArrayAsync(token);
    }
}
