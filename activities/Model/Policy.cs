namespace Alt.Activities.Model;

/// <summary>A model with its tokenizer, as a checkpoint folder holds them.</summary>
public sealed class Policy(LanguageModel model, Tokenizer tokenizer) : IDisposable
{
    public LanguageModel Model => model;

    public Tokenizer Tokenizer => tokenizer;

    public static Policy Load(string folder) => new(LanguageModel.Load(folder), Tokenizer.Load(folder));

    public void Dispose() => model.Dispose();
}
