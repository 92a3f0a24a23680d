using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Tokenizers;
using static TorchSharp.torch;

namespace Alt.Model.Sampling;

/// <summary>A model with its tokenizer, as a checkpoint folder holds them.</summary>
public sealed class Policy(LanguageModel model, Tokenizer tokenizer) : IDisposable
{
    public LanguageModel Model => model;

    public Tokenizer Tokenizer => tokenizer;

    /// <param name="device">Where the model is to be; the processor where it is null.</param>
    /// <exception cref="InputException">A file is missing or damaged, or the tokenizer has more tokens than the model.</exception>
    public static Policy Load(string folder, Device? device = null)
    {
        var model = LanguageModel.Load(folder, device);
        try
        {
            var tokenizer = Tokenizer.Load(folder);
            return tokenizer.VocabularySize <= model.Config.Vocabulary
                ? new Policy(model, tokenizer)
                : throw new InputException(
                    $"{folder}: the tokenizer has {tokenizer.VocabularySize} tokens, the model {model.Config.Vocabulary}; expected the "
                    + "tokenizer that the model was trained with");
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => model.Dispose();
}
