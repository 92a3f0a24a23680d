using static TorchSharp.torch;

namespace Alt.Model.Network;

internal static class EmbeddingTable
{
    /// <summary>
    /// The rows of a table (V, C) that <paramref name="ids"/> of any shape (…) name: (…, C). TorchSharp binds no functional form of it.
    /// </summary>
    public static Tensor Embed(this Tensor table, Tensor ids) =>
        table.index_select(0, ids.reshape(-1)).reshape([.. ids.shape, table.shape[1]]);
}
