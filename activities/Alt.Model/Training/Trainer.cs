using System.Diagnostics;
using System.Text.Json.Serialization;
using Alt.Domain;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>What one update did. Loss and its parts are means over the batch's response tokens.</summary>
/// <param name="Step">Updates made, this one included.</param>
/// <param name="Kl">KL(reference || policy); 0 where its coefficient is 0.</param>
/// <param name="Entropy">The policy's entropy in nats; 0 where its coefficient is 0.</param>
/// <param name="GradientNorm">Before clipping.</param>
/// <param name="Tokens">Tokens read by the policy, padding not counted.</param>
/// <param name="Elapsed">Wall-clock time of the update.</param>
public sealed record StepMetrics(
    int Step, double Loss, double Nll, double Kl, double Entropy, double GradientNorm, double LearningRate, int Tokens, int ResponseTokens,
    TimeSpan Elapsed)
{
    /// <summary>Whether the scaled gradients overflowed, so that the weights are as before; the gradient's norm is 0 then.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Skipped { get; init; }

    public double TokensPerSecond => Tokens / Elapsed.TotalSeconds;
}

/// <summary>
/// Conditional supervised fine-tuning, and with empty feedback and coefficients of 0 plain language modelling.
/// Everything is a function of options, data, weights and step: on one processor with a fixed number of threads, a training that
/// was saved and resumed at any step ends with the same bits.
/// </summary>
public sealed partial class Trainer : IDisposable
{
    private readonly LanguageModel _policy;
    private readonly LanguageModel? _reference;
    private readonly int? _known;
    private readonly IReadOnlyList<TrainingExample> _examples;
    private readonly TrainerOptions _options;
    private readonly ConditionalLoss _loss;
    private readonly Adam _adam;
    private readonly TrainingOrder _order;
    private readonly TrainedWeights _weights;
    private LossScale _scale;

    /// <param name="policy">
    /// The model to train, in place and in single precision; the caller keeps it, and reads its weights when the trainer is disposed.
    /// </param>
    /// <param name="reference">p0, where the options have a KL coefficient; it may lack the policy's added tokens.</param>
    /// <param name="known">
    /// How many tokens the reference's tokenizer has; null is as many as the reference has rows. Rows beyond mean nothing there, and may be
    /// added tokens of the policy.
    /// </param>
    /// <exception cref="InputException">
    /// There are no examples, a reference is needed and missing, or the options do not fit the model.
    /// </exception>
    public Trainer(
        LanguageModel policy, LanguageModel? reference, IReadOnlyList<TrainingExample> examples, TrainerOptions options, int? known = null)
    {
        if (examples.Count == 0)
        {
            throw new InputException("there is nothing to train on, expected at least one example");
        }

        if (reference is null && options.KlCoefficient != 0)
        {
            throw new InputException("a KL coefficient needs a reference model");
        }

        _policy = policy;
        _reference = reference;
        _known = known;
        _examples = examples;
        _options = options;
        _order = new TrainingOrder(options.Seed, options.Iteration, examples.Count, options.BatchSize);
        _loss = new ConditionalLoss(options.KlCoefficient, options.EntropyCoefficient);
        _adam = new Adam(options.Beta1, options.Beta2, options.Epsilon, options.WeightDecay);
        _scale = options.LossScale > 0 ? new LossScale(options.LossScale, 0, options.LossScaleGrowthSteps) : LossScale.Off;
        _weights = new TrainedWeights(policy, options);
    }

    /// <summary>Updates made so far.</summary>
    public int Step { get; private set; }

    /// <summary>Makes the updates that are left, each when its metrics are asked for.</summary>
    /// <exception cref="InvalidOperationException">As <see cref="TakeStep"/>.</exception>
    public IEnumerable<StepMetrics> TakeSteps()
    {
        while (Step < _options.Steps)
        {
            yield return TakeStep();
        }
    }

    /// <summary>Makes one update.</summary>
    /// <exception cref="InvalidOperationException">
    /// The loss or the gradient is not finite, even unscaled; the weights are as before.
    /// </exception>
    public StepMetrics TakeStep()
    {
        ModelThreads.Apply();
        var watch = Stopwatch.StartNew();
        using var scope = NewDisposeScope();
        var batch = Batch(Step);
        var responseTokens = batch.Sum(example => example.Response.Length);
        _weights.ClearGradients();
        var (tokens, sums) = (0, default(LossParts));
        foreach (var part in batch.Chunk((batch.Length + _options.Accumulation - 1) / _options.Accumulation)
            .SelectMany(rows => LengthBuckets.Cut(rows, row => row.Length)))
        {
            using var partScope = NewDisposeScope();
            var inputs = new TokenBatch([.. part.Select(example => (example.Input, example.Response))], _weights.Working);
            sums += Backward(inputs, Reference(part), _scale.Value / responseTokens);
            tokens += inputs.Tokens;
        }

        var (norm, learningRate) = (
            GradientNorm.Of(_weights.Gradients.Select(weight => weight.Value)) / _scale.Value, _options.LearningRateAt(Step));
        var (nll, kl, entropy) = (sums.Nll / responseTokens, sums.Kl / responseTokens, sums.Entropy / responseTokens);
        var loss = nll + _options.KlCoefficient * kl - _options.EntropyCoefficient * entropy;
        var skipped = !double.IsFinite(norm) && _scale is { IsOn: true, Value: > 1 };
        if (!double.IsFinite(loss) || !double.IsFinite(norm) && !skipped)
        {
            throw new InvalidOperationException(
                $"training diverged at step {Step + 1}: loss {loss}, gradient norm {norm}; lower the learning rate");
        }

        if (!skipped)
        {
            using var gradients = no_grad();
            var clip = _options.ClipNorm > 0 ? Math.Min(1, _options.ClipNorm / (norm + 1e-6)) : 1;
            _adam.Update(_weights.Masters, _weights.Gradients, learningRate, clip / _scale.Value);
            _weights.Publish();
        }

        _scale = skipped ? _scale.AfterOverflow() : _scale.AfterStep();
        Step++;
        return new StepMetrics(Step, loss, nll, kl, entropy, skipped ? 0 : norm, learningRate, tokens, responseTokens, watch.Elapsed)
        {
            Skipped = skipped
        };
    }

    public void Dispose()
    {
        _adam.Dispose();
        _weights.Dispose();
    }

    private LossParts Backward(TokenBatch inputs, ReferencePass? reference, double scale)
    {
        var model = _weights.Working;
        var pass = model.Pass(inputs.Ids, _options.GradientCheckpointing);
        var parts = _loss.Backward(model, inputs.Predicting(pass.Hidden), inputs.Targets, reference, scale);
        pass.Backward();
        return parts;
    }

    // By length, so that the parts of a batch need little padding.
    private TrainingExample[] Batch(int step) =>
        [.. _order.Batch(step).Select(i => _examples[i]).OrderBy(example => example.Length)];

    // The reference reads the prompt without the feedback.
    private ReferencePass? Reference(IReadOnlyList<TrainingExample> examples)
    {
        if (_options.KlCoefficient == 0)
        {
            return null;
        }

        using var gradients = no_grad();
        var inputs = new TokenBatch([.. examples.Select(example => (example.Prompt, example.Response))], _reference!);
        return new ReferencePass(_reference!, inputs.Predicting(_reference!.Hidden(inputs.Ids)), _known ?? _reference!.Config.Vocabulary);
    }
}
