using Alt.Model.Checkpoints;
using Alt.Model.Network;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Alt.Model.Encoders;

/// <summary>
/// A decoder with a linear head without bias over the last token: transformers' GPT2ForSequenceClassification's <c>score</c>, or a reward
/// model's <c>v_head</c>.
/// </summary>
internal sealed class CausalClassifier : SequenceClassifier
{
    private const string Score = "score.weight", ValueHead = "v_head.weight";

    private readonly Tensor _head;      // (K, C)
    private readonly LanguageModel _model;

    private CausalClassifier(string folder, DecoderConfig config, CheckpointWeights weights, string head, ClassLabels labels, Device device)
        : base(folder, SequenceTokenizer.Gpt2(Tokenizers.Tokenizer.Load(folder)), config.Positions, config.Vocabulary, labels, device)
    {
        using var scope = NewDisposeScope();
        _head = weights.Read(head, labels.Names.Count, config.Width).to(device);
        _model = LanguageModel.LoadTrunk(folder, device);
        _head.DetachFromDisposeScope();
    }

    public static CausalClassifier Load(string folder, ClassLabels labels, Device device)
    {
        using var weights = new CheckpointWeights(folder, "");
        var config = DecoderConfig.Load(folder);
        return weights.Has(ValueHead) && !weights.Has(Score)
            ? new CausalClassifier(folder, config, weights, ValueHead, new ClassLabels(["reward"], LabelScale.Raw), device)
            : new CausalClassifier(folder, config, weights, Score, labels, device);
    }

    /// <summary>
    /// A prompt and a text are one text; one that is too long loses its start, since the part to judge is at the end.
    /// </summary>
    public override TokenSequence Tokens(string? prompt, string text, int longest) =>
        Tokenizer.Encode(prompt + text, longest, keepEnd: true);

    public override void Dispose()
    {
        _model.Dispose();
        _head.Dispose();
    }

    private protected override Tensor Compute(SequenceBatch batch)
    {
        var last = _model.Hidden(batch.Ids()).index_select(0, batch.LastRows());    // (B, C)
        return linear(last, _head);                                                 // (B, K)
    }
}
