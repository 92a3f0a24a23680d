using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>A sample that has no label yet.</summary>
/// <param name="Id">In the form of <see cref="SampleId"/>, which a label for it repeats.</param>
/// <param name="Waits">What it waits for: a first judgement, or what kind of failure put it into quarantine.</param>
public sealed record OpenSample(SampleId Id, string Prompt, string Text, string Waits);

/// <summary>What people see of a run's samples without labels, and the labels that they give.</summary>
public sealed class Labelling(Ledger ledger, ArtifactStore artifacts)
{
    /// <summary>
    /// The samples of the iteration under way that have no label, in the order of the record; none while it has no samples or once its
    /// feedback is complete.
    /// </summary>
    /// <exception cref="InputException">There is no such run.</exception>
    public async Task<IReadOnlyList<OpenSample>> OpenAsync(string run, CancellationToken token)
    {
        var state = await ledger.ExistingRunAsync(run, token);
        var inputs = await StageInputs.ReadAsync(ledger, new IterationRef(run, state.IterationsFinished), token);
        if (inputs.State is not { Sampling: not null, Feedback: null })
        {
            return [];
        }

        var open = new List<OpenSample>();
        var people = await HumanLabels.ReadAsync(state, artifacts, token);
        var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(inputs.State.Prompts!.Prompts, token)
            .ToDictionaryAsync(p => p.Ordinal, p => p.Text, cancellationToken: token);
        foreach (var chunk in inputs.State.Chunks(Stage.Sampling))
        {
            var outcomes = inputs.State.Chunk(Stage.Feedback, chunk.Chunk) is { } judged
                ? await artifacts.ReadJsonLinesAsync<Judgement>(judged.Result, token).ToDictionaryAsync(
                    j => j.Id, j => j.Outcome, cancellationToken: token)
                : [];
            await foreach (var sample in artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token))
            {
                var outcome = outcomes.GetValueOrDefault(sample.Id);
                if (outcome is null or { InQuarantine: true } && !people.Has(sample.Id))
                {
                    open.Add(new OpenSample(
                        sample.Id, prompts[sample.Id.Prompt], sample.Text,
                        outcome is null ? "first judgement" : Quarantine.KindOf(outcome)));
                }
            }
        }

        return open;
    }

    /// <returns>How many labels were recorded; the same labels given twice are recorded once.</returns>
    /// <exception cref="InputException">
    /// A label is empty, names a sample or a tag that the run does not have, or comes too late.
    /// </exception>
    public async Task<int> RecordAsync(string run, GivenLabels given, CancellationToken token)
    {
        if (given.Labels.Count == 0 || string.IsNullOrWhiteSpace(given.Author))
        {
            throw new InputException("expected one label or more, and who gives them");
        }

        if (given.Labels.Select(l => l.Id.Iteration).Distinct().ToArray() is not [var number])
        {
            throw new InputException("the labels are about several iterations; expected those of the one whose feedback is under way");
        }

        var state = await ledger.ExistingRunAsync(run, token);
        var inputs = await StageInputs.ReadAsync(ledger, new IterationRef(run, number), token);
        if (inputs.State.Sampling is null || inputs.State.Feedback is not null)
        {
            throw new InputException(
                $"iteration {number} of run '{run}' {(inputs.State.Sampling is null ? "has no samples yet" : "has its feedback already")}; "
                + "labels are taken between sampling and the end of feedback");
        }

        var known = (await inputs.SampleIdsAsync(artifacts, token)).ToHashSet();
        foreach (var label in given.Labels)
        {
            _ = known.Contains(label.Id)
                ? label.ToOutcome(state.Config)
                : throw new InputException($"label of {label.Id}: the run has no such sample");
        }

        var labels = await artifacts.PutJsonLinesAsync(given.Labels, token);
        var labelled = new RunEvent.SamplesLabelled(number, labels, given.Labels.Count, given.Author, given.Reason, DateTimeOffset.UtcNow);
        return (await ledger.RecordAsync(
            run, s => s.Labels.LastOrDefault() is { } last && last.Labels == labels && last.Author == given.Author ? last : null, labelled,
            token: token)).Count;
    }
}
