using Alt.Model.Checkpoints;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Encoders;

/// <summary>A model with a head that gives a text one logit for each label: a classifier, or with one label a reward model.</summary>
public abstract class SequenceClassifier : SequenceModel
{
    private protected SequenceClassifier(
        string folder, SequenceTokenizer tokenizer, int positions, int vocabulary, ClassLabels labels, Device device)
        : base(folder, tokenizer, positions, vocabulary, device) => Labels = labels;

    public ClassLabels Labels { get; }

    /// <summary>
    /// Reads a checkpoint folder as transformers writes it: a BertForSequenceClassification, a RobertaForSequenceClassification, or a
    /// decoder with a reward head.
    /// </summary>
    /// <param name="device">Where the model is to be; the processor where it is null.</param>
    /// <exception cref="Alt.Domain.InputException">
    /// A file is missing or damaged, describes something that is not computed here, or does not fit the others.
    /// </exception>
    public static SequenceClassifier Load(string folder, Device? device = null)
    {
        var config = CheckpointConfig.Read(folder, "a classifier's or reward model's checkpoint");
        var encoders = new[] { EncoderConfig.Bert, EncoderConfig.Roberta };
        return encoders.Contains(config.Require("model_type", [.. encoders, .. Architecture.All.Select(decoder => decoder.Name)]))
            ? EncoderClassifier.Load(folder, ClassLabels.Load(config), device ?? CPU)
            : CausalClassifier.Load(folder, ClassLabels.Load(config), device ?? CPU);
    }

    /// <summary>A text's tokens, or those of what it answers to and the text.</summary>
    /// <param name="longest">Most tokens, at most the model's positions.</param>
    public abstract TokenSequence Tokens(string? prompt, string text, int longest);
}
