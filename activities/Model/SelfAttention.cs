using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>Scaled dot-product attention of sequences to themselves. Axes: B sequences, T positions, N = B * T rows, C width, H heads, D = C / H.</summary>
internal static class SelfAttention
{
    /// <param name="qkv">Queries, keys and values side by side (N, 3C).</param>
    /// <param name="mask">Added to the scores, so that it can be expanded to (BH, T, T): 0 where a row may see a column, minus infinity elsewhere.</param>
    /// <returns>(N, C)</returns>
    public static Tensor Of(Tensor qkv, long B, long T, long H, Tensor mask)
    {
        var D = qkv.shape[1] / 3 / H;
        var heads = qkv.view(B, T, 3, H, D).permute(2, 0, 3, 1, 4).reshape(3 * B * H, T, D).split(B * H);
        var (q, k, v) = (heads[0], heads[1], heads[2]);                                             // (BH, T, D) each
        var scores = baddbmm(mask, q, k.transpose(1, 2), 1, 1 / MathF.Sqrt(D));                     // (BH, T, T)
        return scores.softmax(-1).bmm(v).view(B, H, T, D).transpose(1, 2).reshape(B * T, H * D);    // (N, C)
    }
}
