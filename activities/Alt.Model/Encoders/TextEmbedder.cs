using Alt.Model.Checkpoints;
using static TorchSharp.torch;

namespace Alt.Model.Encoders;

/// <summary>
/// Embeds texts as Contriever does: the mean of a BERT's or RoBERTa's hidden states over all tokens, compared by their dot product.
/// </summary>
public sealed class TextEmbedder : SequenceModel
{
    private readonly Encoder _encoder;

    private TextEmbedder(string folder, EncoderConfig config, CheckpointWeights weights, Device device)
        : base(folder, SequenceTokenizer.Load(folder, config), config.Positions, config.Vocabulary, device) =>
            _encoder = new Encoder(config, weights, device);

    /// <summary>Reads a checkpoint folder such as facebook/contriever's; a head beside the encoder is not used.</summary>
    /// <param name="device">Where the model is to be; the processor where it is null.</param>
    /// <exception cref="Alt.Domain.InputException">
    /// A file is missing or damaged, describes something that is not computed here, or does not fit the others.
    /// </exception>
    public static TextEmbedder Load(string folder, Device? device = null)
    {
        var config = EncoderConfig.Load(folder);
        using var weights = new CheckpointWeights(folder, config.Family + ".");
        return new TextEmbedder(folder, config, weights, device ?? CPU);
    }

    /// <summary>A text's tokens; one that is too long loses its start (arXiv 2402.03469's code).</summary>
    /// <param name="longest">Most tokens, at most the model's positions.</param>
    public TokenSequence Tokens(string text, int longest) => Tokenizer.Encode(text, longest, keepEnd: true);

    public override void Dispose() => _encoder.Dispose();

    private protected override Tensor Compute(SequenceBatch batch) => _encoder.Mean(batch);
}
