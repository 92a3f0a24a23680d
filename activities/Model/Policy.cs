using Alt.Domain;

namespace Alt.Activities.Model;

/// <summary>A model with its tokenizer, as a checkpoint folder holds them.</summary>
public sealed class Policy(LanguageModel model, Tokenizer tokenizer) : IDisposable
{
    public LanguageModel Model => model;

    public Tokenizer Tokenizer => tokenizer;

    /// <exception cref="InputException">A file is missing or damaged, or the tokenizer has more tokens than the model.</exception>
    public static Policy Load(string folder)
    {
        var tokenizer = Tokenizer.Load(folder);
        var model = LanguageModel.Load(folder);
        if (tokenizer.VocabularySize > model.Config.Vocabulary)
        {
            model.Dispose();
            throw new InputException(
                $"{folder}: the tokenizer has {tokenizer.VocabularySize} tokens, the model {model.Config.Vocabulary}; expected the tokenizer that the model was trained with");
        }

        return new Policy(model, tokenizer);
    }

    public void Dispose() => model.Dispose();
}
