using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>A pool and the selection from it.</summary>
/// <param name="LeftOut">How many entries were left out, by reason.</param>
public sealed record PoolSummary(string PoolHash, int Entries, int Selected, IReadOnlyDictionary<string, int> LeftOut);

/// <summary>One tag's entries and selected samples, as recorded and as they would be.</summary>
public sealed record TagSummary(string Tag, int Entries, int Selected, int EntriesIf, int SelectedIf);

/// <summary>What would be different. Labels are compared as the tags' texts.</summary>
/// <param name="Relabelled">Samples in both pools whose tag would be another.</param>
/// <param name="Added">Samples that only the counterfactual pool holds.</param>
/// <param name="Removed">Samples that only the recorded pool holds.</param>
/// <param name="NewlySelected">Samples that would be trained on and were not.</param>
/// <param name="Dropped">Samples that were trained on and would not be.</param>
/// <param name="Tags">The recorded tags, best first, then those that only the settings know.</param>
public sealed record WhatIfAnswer(
    PoolSummary Recorded, PoolSummary Counterfactual, int Relabelled, int Added, int Removed, int NewlySelected, int Dropped,
    IReadOnlyList<TagSummary> Tags);

/// <summary>Computes an iteration's pool and selection under other settings, from the samples and rewards that are recorded.</summary>
public sealed class WhatIf(Ledger ledger, ArtifactStore artifacts)
{
    /// <param name="inputs">An iteration whose selection is recorded.</param>
    /// <param name="changed">The run's config with other settings of the pool and the selection.</param>
    public async Task<WhatIfAnswer> AskAsync(StageInputs inputs, RunConfig changed, CancellationToken token)
    {
        var stage = new DataPoolStage(ledger, artifacts);
        var before = await artifacts.ReadJsonLinesAsync<PoolEntry>(inputs.State.DataPool!.Pool, token).ToArrayAsync(token);
        var taken = await artifacts.ReadJsonLinesAsync<SelectedSample>(inputs.State.Selection!.Batch, token).ToArrayAsync(token);

        var kept = inputs.Config.DataPool.Accumulate || !changed.DataPool.Accumulate
            ? await stage.KeptAsync(inputs.Iteration, changed, token)
            : await AllBeforeAsync(stage, inputs.Iteration, token);
        var after = DataPool.Update(
            kept, await stage.LabelledAsync(inputs.State, token), changed.QuantileFeedback().Tags.Count, changed.Selection.Ranking);
        var decided = Selection.Select(after, changed.Selection, changed.Seed, inputs.Number, inputs.Run.ErasedIn(inputs.Number));
        return Compare(
            new(before, taken, inputs.Config.QuantileFeedback().Tags, inputs.State.DataPool.PoolHash),
            new(after, decided, changed.QuantileFeedback().Tags, DataPool.Hash(after)));
    }

    /// <summary>What a run that starts every iteration with an empty pool would have kept.</summary>
    private async Task<IReadOnlyList<PoolSample>> AllBeforeAsync(DataPoolStage stage, IterationRef iteration, CancellationToken token)
    {
        var all = new List<PoolSample>();
        for (var number = 1; number < iteration.Number; number++)
        {
            all.AddRange(await stage.LabelledAsync(await ledger.IterationAsync(iteration with { Number = number }, token), token));
        }

        return all;
    }

    private static WhatIfAnswer Compare(Outcome recorded, Outcome counterfactual)
    {
        var (before, after) = (recorded.TagOf(), counterfactual.TagOf());
        var (selected, selectedIf) = (recorded.Selected().ToHashSet(), counterfactual.Selected().ToHashSet());
        return new WhatIfAnswer(
            recorded.Summary(),
            counterfactual.Summary(),
            after.Count(e => before.TryGetValue(e.Key, out var tag) && tag != e.Value),
            after.Keys.Count(id => !before.ContainsKey(id)),
            before.Keys.Count(id => !after.ContainsKey(id)),
            selectedIf.Count(id => !selected.Contains(id)),
            selected.Count(id => !selectedIf.Contains(id)),
            [.. recorded.Tags.Union(counterfactual.Tags).Select(tag => new TagSummary(
                tag, before.Values.Count(t => t == tag), selected.Count(id => before[id] == tag), after.Values.Count(t => t == tag),
                selectedIf.Count(id => after[id] == tag)))]);
    }

    private sealed record Outcome(
        IReadOnlyList<PoolEntry> Pool, IReadOnlyList<SelectedSample> Decisions, IReadOnlyList<string> Tags, string Hash)
    {
        public Dictionary<SampleId, string> TagOf() => Pool.ToDictionary(e => e.Sample.Id, e => Tags[e.Quantile]);

        public IEnumerable<SampleId> Selected() => Decisions.Where(d => d.Selected).Select(d => d.Id);

        public PoolSummary Summary() => new(Hash, Pool.Count, Decisions.Count(d => d.Selected), Selection.LeftOut(Decisions));
    }
}
