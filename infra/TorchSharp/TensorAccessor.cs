using System.Collections;
using System.Runtime.InteropServices;

namespace TorchSharp.Utils;

/// <summary>The elements of a contiguous tensor in the processor's memory, in row order.</summary>
public sealed class TensorAccessor<T> : IEnumerable<T>
    where T : unmanaged
{
    private readonly torch.Tensor _tensor;

    internal TensorAccessor(torch.Tensor tensor) => _tensor = tensor;

    public long Count => _tensor.NumberOfElements;

    /// <summary>The element at an index in row order.</summary>
    public T this[long index]
    {
        get => Span[checked((int)index)];
        set => Span[checked((int)index)] = value;
    }

    private Span<T> Span => MemoryMarshal.Cast<byte, T>(_tensor.bytes);

    public T[] ToArray() => Span.ToArray();

    public void CopyTo(Span<T> target) => Span.CopyTo(target);

    public void CopyFrom(ReadOnlySpan<T> source) => source.CopyTo(Span);

    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)ToArray()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
