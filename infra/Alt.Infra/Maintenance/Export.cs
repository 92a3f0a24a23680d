using System.Runtime.CompilerServices;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>
/// The kinds of rows of an export; the last four are the dataset types of the TRL library, in its standard (not conversational) form.
/// </summary>
public enum ExportType
{
    /// <summary>Every sample with everything that is recorded of it.</summary>
    Samples,

    /// <summary><c>{"prompt"}</c>: each prompt of the pool once.</summary>
    PromptOnly,

    /// <summary><c>{"prompt", "completion"}</c>: the samples that were selected to train on.</summary>
    PromptCompletion,

    /// <summary>
    /// <c>{"prompt", "completion", "label"}</c>: the best quantile is true and the worst is false; those between are left out.
    /// </summary>
    UnpairedPreference,

    /// <summary>
    /// <c>{"prompt", "chosen", "rejected"}</c>: of each prompt the samples with the highest and the lowest reward, where they differ.
    /// </summary>
    Preference,
}

/// <summary>One sample as an export shows it.</summary>
public sealed record ExportedSample(
    string Id, string Prompt, string Completion, IReadOnlyList<int> Tokens, FinishReason FinishReason, double Reward, int Quantile,
    string Feedback, bool Selected, LeftOut? LeftOut, string Policy, string? Conditioning);

/// <summary>Rows of one iteration's pool with their texts, in the order of the record. Samples of erased prompts are left out.</summary>
public sealed class Export(Ledger ledger, ArtifactStore artifacts)
{
    /// <param name="iteration">Whose pool; null is the last one that was selected from.</param>
    /// <exception cref="InputException">The run does not exist, or has no such pool.</exception>
    public async Task<IAsyncEnumerable<object>> RowsAsync(string run, int? iteration, ExportType type, CancellationToken token = default)
    {
        var state = await ledger.ExistingRunAsync(run, token);
        var number = iteration ?? await LastAsync(run, state.Config, token);
        var (pool, selection) = await ledger.IterationAsync(new(run, number), token) is { DataPool: { } updated, Selection: { } selected }
            ? (updated, selected)
            : throw new InputException(
                $"run '{run}' has no selection in iteration {number}; `./alt audit events {run}` shows which iterations have one");
        var decisions = await artifacts.ReadJsonLinesAsync<SelectedSample>(selection.Batch, token)
            .ToDictionaryAsync(d => d.Id, cancellationToken: token);
        var rewards = await artifacts.ReadJsonLinesAsync<PoolEntry>(pool.Pool, token)
            .ToDictionaryAsync(e => e.Sample.Id, e => e.Sample.Reward, cancellationToken: token);
        var tags = (await ledger.ConfigsAsync(state, token))[number].QuantileFeedback().Tags;
        var samples = SamplesAsync(run, tags, decisions, rewards, token);
        var worst = tags.Count - 1;
        return type switch
        {
            ExportType.Samples => samples,
            ExportType.PromptOnly => samples.Select(s => s.Prompt).Distinct().Select(prompt => new { prompt }),
            ExportType.PromptCompletion => samples.Where(s => s.Selected).Select(s => new { s.Prompt, s.Completion }),
            ExportType.UnpairedPreference => samples.Where(s => s.Quantile == 0 || s.Quantile == worst).Select(s =>
                new { s.Prompt, s.Completion, Label = s.Quantile == 0 }),
            _ => PairsAsync(samples, token),
        };
    }

    /// <summary>Samples of one prompt may come from several iterations, so that all are needed before the first pair.</summary>
    private static async IAsyncEnumerable<object> PairsAsync(
        IAsyncEnumerable<ExportedSample> samples, [EnumeratorCancellation] CancellationToken token)
    {
        foreach (var prompt in (await samples.ToArrayAsync(token)).GroupBy(s => s.Prompt))
        {
            var (best, worst) = (prompt.MaxBy(s => s.Reward)!, prompt.MinBy(s => s.Reward)!);
            if (best.Reward > worst.Reward)
            {
                yield return new { Prompt = prompt.Key, Chosen = best.Completion, Rejected = worst.Completion };
            }
        }
    }

    private async IAsyncEnumerable<ExportedSample> SamplesAsync(
        string run, IReadOnlyList<string> tags, Dictionary<SampleId, SelectedSample> decisions, Dictionary<SampleId, double> rewards,
        [EnumeratorCancellation] CancellationToken token)
    {
        foreach (var number in decisions.Keys.Select(id => id.Iteration).Distinct().Order().ToArray())
        {
            var iteration = await ledger.IterationAsync(new(run, number), token);
            var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(iteration.Prompts!.Prompts, token)
                .ToDictionaryAsync(p => p.Ordinal, p => p.Text, cancellationToken: token);
            foreach (var chunk in iteration.Chunks(Stage.Sampling))
            {
                await foreach (var s in artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token))
                {
                    if (s.ErasedContent is null && decisions.TryGetValue(s.Id, out var decision))
                    {
                        yield return new ExportedSample(
                            new SampleRef(run, s.Id).ToString(), prompts[s.Id.Prompt], s.Text, s.Tokens, s.FinishReason, rewards[s.Id],
                            decision.Quantile, tags[decision.Quantile],
                            decision.Selected, decision.LeftOut, iteration.Sampling!.PolicyHash, iteration.Sampling.Conditioning);
                    }
                }
            }
        }
    }

    private async Task<int> LastAsync(string run, RunConfig config, CancellationToken token)
    {
        for (var number = config.Iterations; number > 0; number--)
        {
            if ((await ledger.IterationAsync(new(run, number), token)).Selection is not null)
            {
                return number;
            }
        }

        throw new InputException($"run '{run}' has no pool to export yet; `./alt status {run}` shows how far it is");
    }
}
