using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Tokenizers;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>Stage 0: what a new base model reads, and how it starts.</summary>
public static class Pretraining
{
    private const string EndOfText = "<|endoftext|>";

    /// <summary>A share of the texts' number, so that a tag's words outweigh rare words when the vocabulary is chosen.</summary>
    private const int TextsPerTag = 100;

    /// <summary>A tokenizer trained on the texts, and a model of the configured shape with drawn weights.</summary>
    /// <param name="device">Where the model is to be; the processor where it is null.</param>
    public static Policy New(RunConfig config, IReadOnlyList<PretrainingText> texts, Device? device = null)
    {
        // Without their words in the vocabulary tags would fall into many pieces, the last of them the same in all tags.
        var tags = Enumerable.Repeat(config.Feedback.Tags, 1 + texts.Count / TextsPerTag).SelectMany(t => t);
        var tokenizer = Tokenizer.Train(texts.Select(t => t.Text).Concat(tags), config.Model.Vocabulary, [EndOfText]);
        var shape = new DecoderConfig
        {
            Vocabulary = tokenizer.VocabularySize,
            Positions = config.Model.Positions,
            Width = config.Model.Width,
            Layers = config.Model.Layers,
            Heads = config.Model.Heads,
            EndOfText = tokenizer.IdOf(EndOfText)!.Value,
        };
        return new Policy(LanguageModel.Create(shape, config.Seed, device), tokenizer);
    }

    /// <summary>Blocks of tokens from both sources, the labelled rows repeated until they make up their share.</summary>
    public static IReadOnlyList<TrainingExample> Examples(IReadOnlyList<PretrainingText> texts, Tokenizer tokenizer, RunConfig config)
    {
        var (labelled, plain) = (Blocks(PretrainingSource.Labelled), Blocks(PretrainingSource.Text));
        if (labelled.Count == 0 || plain.Count == 0)
        {
            return [.. labelled, .. plain];
        }

        var share = config.Data.LabelledShare;
        var rows = (int)Math.Round(plain.Count * share / (1 - share));
        return [.. Enumerable.Range(0, rows).Select(i => labelled[i % labelled.Count]), .. plain];

        TokenBlocks Blocks(PretrainingSource source)
        {
            var end = tokenizer.IdOf(EndOfText)!.Value;
            int[] tokens = [end, .. texts.Where(t => t.Source == source).SelectMany(t => tokenizer.Encode(t.Text).Append(end))];
            return new TokenBlocks(tokens, config.Model.Pretraining.BlockLength);
        }
    }
}
