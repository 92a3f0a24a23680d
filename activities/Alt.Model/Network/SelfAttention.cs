using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// Scaled dot-product attention of sequences to themselves. Axes: B sequences, T positions, N = B * T rows, C width, H heads, G heads of
/// keys and values, D head width.
/// </summary>
internal static class SelfAttention
{
    /// <param name="qkv">Queries, keys and values side by side (N, (H + 2G) D).</param>
    /// <param name="mask">
    /// Added to the scores, so that it can be expanded to (BH, T, T): 0 where a row may see a column, minus infinity elsewhere.
    /// </param>
    /// <returns>(N, HD)</returns>
    public static Tensor Forward(Tensor qkv, long B, long T, long H, long G, Tensor mask)
    {
        var D = qkv.shape[1] / (H + 2 * G);
        var (q, k, v) = H == G ? Together(qkv, B, T, H, D) : Grouped(qkv, B, T, H, G, D);           // (BH, T, D) each
        var scores = baddbmm(q, k.transpose(1, 2), mask, beta: 1, alpha: 1 / MathF.Sqrt(D));                    // (BH, T, T)
        return scores.softmax(-1).bmm(v).view(B, H, T, D).transpose(1, 2).reshape(B * T, H * D);    // (N, HD)
    }

    private static (Tensor, Tensor, Tensor) Together(Tensor qkv, long B, long T, long H, long D)
    {
        var heads = qkv.view(B, T, 3, H, D).permute(2, 0, 3, 1, 4).reshape(3 * B * H, T, D).split(B * H);
        return (heads[0], heads[1], heads[2]);
    }

    // Each head of keys and values serves H / G heads of queries that follow each other.
    private static (Tensor, Tensor, Tensor) Grouped(Tensor qkv, long B, long T, long H, long G, long D)
    {
        var heads = qkv.view(B, T, H + 2 * G, D).transpose(1, 2);                                   // (B, H + 2G, T, D)
        return (heads.narrow(1, 0, H).reshape(B * H, T, D), Shared(heads.narrow(1, H, G)), Shared(heads.narrow(1, H + G, G)));

        Tensor Shared(Tensor x) => x.unsqueeze(2).expand(B, G, H / G, T, D).reshape(B * H, T, D);
    }
}
