using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A tensor to be written, which may be made only when its turn comes: what is computed for a file then never stands in memory as a whole.
/// </summary>
/// <param name="Read">Gives the tensor, in the caller's dispose scope where it is a new one.</param>
internal sealed record TensorSource(string Name, ScalarType Type, long[] Shape, Func<Tensor> Read)
{
    public long Bytes => StoredTensor.Bytes(Name, Type, Shape);

    public static TensorSource Of(KeyValuePair<string, Tensor> tensor) => new(tensor.Key, tensor.Value.dtype, tensor.Value.shape, () =>
        tensor.Value);
}
