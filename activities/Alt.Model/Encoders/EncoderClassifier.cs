using Alt.Model.Checkpoints;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Alt.Model.Encoders;

/// <summary>
/// BertForSequenceClassification and RobertaForSequenceClassification: two layers over the first token, tanh between them.
/// </summary>
internal sealed class EncoderClassifier : SequenceClassifier
{
    private readonly Tensor _inner, _innerBias;     // (C, C), (C)
    private readonly Tensor _outer, _outerBias;     // (K, C), (K)
    private readonly Encoder _encoder;

    private EncoderClassifier(string folder, EncoderConfig config, CheckpointWeights weights, ClassLabels labels, Device device)
        : base(folder, SequenceTokenizer.Load(folder, config), config.Positions, config.Vocabulary, labels, device)
    {
        using var scope = NewDisposeScope();
        long C = config.Width, K = labels.Names.Count;
        var (inner, outer) = config.Family == EncoderConfig.Roberta
            ? ("classifier.dense", "classifier.out_proj")
            : ("bert.pooler.dense", "classifier");
        _inner = weights.Read(inner + ".weight", C, C).to(device);
        _innerBias = weights.Read(inner + ".bias", C).to(device);
        _outer = weights.Read(outer + ".weight", K, C).to(device);
        _outerBias = weights.Read(outer + ".bias", K).to(device);
        _encoder = new Encoder(config, weights, device);
        foreach (var weight in Head)
        {
            weight.DetachFromDisposeScope();
        }
    }

    private Tensor[] Head => [_inner, _innerBias, _outer, _outerBias];

    public static EncoderClassifier Load(string folder, ClassLabels labels, Device device)
    {
        var config = EncoderConfig.Load(folder);
        using var weights = new CheckpointWeights(folder, config.Family + ".");
        return new EncoderClassifier(folder, config, weights, labels, device);
    }

    /// <summary>A prompt and a text are a pair; texts that are too long lose their ends.</summary>
    public override TokenSequence Tokens(string? prompt, string text, int longest) =>
        prompt is null ? Tokenizer.Encode(text, longest) : Tokenizer.EncodePair(prompt, text, longest);

    public override void Dispose()
    {
        _encoder.Dispose();
        foreach (var weight in Head)
        {
            weight.Dispose();
        }
    }

    private protected override Tensor Compute(SequenceBatch batch)
    {
        var pooled = linear(_encoder.First(batch), _inner, _innerBias).tanh();      // (B, C)
        return linear(pooled, _outer, _outerBias);                                  // (B, K)
    }
}
