using Alt.Domain;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Network;

public sealed partial class LanguageModel
{
    /// <summary>
    /// Draws the embeddings of some tokens again, around the mean of others. Tokens that no training text holds end nearly identical
    /// under a tied head, so that feedback written in them could not be distinguished.
    /// </summary>
    /// <param name="tokens">The rows to draw.</param>
    /// <param name="like">The rows whose mean and deviation per column the draw follows.</param>
    /// <param name="scale">Multiple of that deviation.</param>
    public void RedrawTokens(IReadOnlyList<int> tokens, IReadOnlyList<int> like, double scale, long seed)
    {
        WeightsChanged();
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var rows = _tokens.index_select(0, tensor([.. like.Select(id => (long)id)], device: Device)).to(float32);   // (L, C)
        var mean = rows.sum(dim: 0) / rows.shape[0];                                                                // (C)
        var deviation = ((rows - mean).square().sum(dim: 0) / rows.shape[0]).sqrt();                                // (C)
        foreach (var id in tokens)
        {
            var drawn = empty([Config.Width]);
            Philox.FillNormal(new RandomKey(seed, CreationIteration, Stage.Feedback, Prompt: id), drawn.Floats(), deviation: scale);
            _tokens.select(0, id).copy_(drawn.to(Device) * deviation + mean);                           // (C)
        }
    }
}
