using System.Globalization;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Encoders;

namespace Alt.Activities.Feedback;

/// <summary>A classifier or reward model from a checkpoint folder as judge.</summary>
public sealed class CheckpointJudge : IJudge
{
    private readonly JudgeConfig.Checkpoint _config;
    private readonly SequenceClassifier _model;
    private readonly int _label, _longest;

    /// <exception cref="InputException">The model has no such label, or fewer positions than the config asks for.</exception>
    public CheckpointJudge(JudgeConfig.Checkpoint config, SequenceClassifier model)
    {
        (_config, _model) = (config, model);
        _label = model.Labels.IndexOf(config.Label, config.Folder);
        _longest = config.MaxLength == 0 ? model.Positions
            : config.MaxLength <= model.Positions ? config.MaxLength
            : throw new InputException(
                $"{config.Folder}: maxLength is {config.MaxLength}, expected at most the model's {model.Positions} positions");
        var settings = AltJson.Hash(
            new { model.SettingsHash, config.Label, config.Unwanted, config.WithPrompt, config.MaxLength, config.BatchSize });
        Version = $"{model.Hash}@{settings[..12]}";
    }

    public string Name => "checkpoint";

    /// <summary>The SHA-256 of the weights' file, and a digest of everything else that a reward depends on.</summary>
    public string Version { get; }

    public Task<IReadOnlyList<Judgement>> JudgeAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, CancellationToken token)
    {
        FeedbackRequest[] said = [.. samples.Where(s => s.IfEmpty() is null)];
        progress?.Report(samples.Count - said.Length);
        var rows = _model.Read(
            [.. said.Select(s => _model.Tokens(_config.WithPrompt ? s.Prompt : null, s.Text, _longest))], _config.BatchSize, progress,
            token);
        var judged = said.Zip(rows, Judge).ToDictionary(j => j.Id);
        return Task.FromResult<IReadOnlyList<Judgement>>([.. samples.Select(s => s.IfEmpty() ?? judged[s.Id])]);
    }

    private Judgement Judge(FeedbackRequest sample, float[] logits)
    {
        var value = _model.Labels.ValueOf(_label, logits);
        var reward = !_config.Unwanted ? value : _model.Labels.Scale == LabelScale.Raw ? -value : 1 - value;
        var call = new JudgeCall(
            Name, Version, AltJson.Hash(_config.WithPrompt ? [sample.Prompt, sample.Text] : new[] { sample.Text }),
            value.ToString("R", CultureInfo.InvariantCulture));
        return new Judgement(
            sample.Id,
            double.IsFinite(reward) ? new FeedbackOutcome.Labelled(reward) : new FeedbackOutcome.Unparsed(call.Reply!))
        { Calls = [call] };
    }
}
