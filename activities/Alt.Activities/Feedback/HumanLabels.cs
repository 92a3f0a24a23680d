using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>The labels that people gave to a run's samples; the last one of a sample counts.</summary>
public sealed class HumanLabels
{
    public const string Judge = "human";

    private readonly Dictionary<SampleId, (HumanLabel Label, RunEvent.SamplesLabelled By)> _labels = [];

    private HumanLabels() { }

    public static async Task<HumanLabels> ReadAsync(RunState run, ArtifactStore artifacts, CancellationToken token)
    {
        var all = new HumanLabels();
        foreach (var labelled in run.Labels)
        {
            await foreach (var label in artifacts.ReadJsonLinesAsync<HumanLabel>(labelled.Labels, token))
            {
                all._labels[label.Id] = (label, labelled);
            }
        }

        return all;
    }

    public int Count => _labels.Count;

    public FeedbackOutcome? OutcomeOf(SampleId id, RunConfig config) =>
        _labels.TryGetValue(id, out var given) ? given.Label.ToOutcome(config) : null;

    public bool Has(SampleId id) => _labels.ContainsKey(id);

    /// <summary>A sample's judgement by people; null if there is none.</summary>
    public Judgement? Of(FeedbackRequest sample, RunConfig config) => !_labels.TryGetValue(sample.Id, out var given)
        ? null
        : new Judgement(sample.Id, given.Label.ToOutcome(config))
        {
            Calls = [new JudgeCall(
                Judge, given.By.Author, AltJson.Hash(sample.Text), JsonSerializer.Serialize(given.Label, AltJson.Options))],
        };
}
