using System.Globalization;
using Alt.Activities.Model.Encoders;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>A classifier or reward model from a checkpoint folder as judge.</summary>
public sealed class CheckpointProvider : IFeedbackProvider
{
    private readonly FeedbackProvider.Checkpoint config;
    private readonly SequenceClassifier model;
    private readonly int label, longest;

    /// <exception cref="InputException">The model has no such label, or fewer positions than the config asks for.</exception>
    public CheckpointProvider(FeedbackProvider.Checkpoint config, SequenceClassifier model)
    {
        (this.config, this.model) = (config, model);
        label = model.Labels.IndexOf(config.Label, config.Folder);
        longest = config.MaxLength == 0 ? model.Positions
            : config.MaxLength <= model.Positions ? config.MaxLength
            : throw new InputException($"{config.Folder}: maxLength is {config.MaxLength}, expected at most the model's {model.Positions} positions");
        Version = $"{model.Hash}@{RunInputs.Hash(new { model.SettingsHash, config.Label, config.Unwanted, config.WithPrompt, config.MaxLength, config.BatchSize })[..12]}";
    }

    public string Name => "checkpoint";

    /// <summary>The SHA-256 of the weights' file, and a digest of everything else that a reward depends on.</summary>
    public string Version { get; }

    public Task<IReadOnlyList<Judgement>> JudgeAsync(IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        FeedbackRequest[] said = [.. samples.Where(s => s.IfEmpty() is null)];
        progress?.Report(samples.Count - said.Length);
        var rows = model.Read([.. said.Select(s => model.Tokens(config.WithPrompt ? s.Prompt : null, s.Text, longest))], config.BatchSize, progress, token);
        var judged = said.Zip(rows, Judge).ToDictionary(j => j.Id);
        return Task.FromResult<IReadOnlyList<Judgement>>([.. samples.Select(s => s.IfEmpty() ?? judged[s.Id])]);
    }

    private Judgement Judge(FeedbackRequest sample, float[] logits)
    {
        var value = model.Labels.ValueOf(label, logits);
        var reward = !config.Unwanted ? value : model.Labels.Scale == LabelScale.Raw ? -value : 1 - value;
        var call = new JudgeCall(Name, Version, RunInputs.Hash(config.WithPrompt ? [sample.Prompt, sample.Text] : new[] { sample.Text }), value.ToString("R", CultureInfo.InvariantCulture));
        return new Judgement(sample.Id, double.IsFinite(reward) ? new FeedbackOutcome.Labelled(reward) : new FeedbackOutcome.Unparsed(call.Reply!)) { Calls = [call] };
    }
}
