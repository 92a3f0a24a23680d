using Alt.Domain;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>A tensor in a pickle: a view of a storage.</summary>
/// <param name="Offset">In elements from the storage's start.</param>
/// <param name="Strides">Distance in elements to the next one of each dimension.</param>
internal sealed record PickledTensor(PickledStorage Storage, long Offset, long[] Shape, long[] Strides);

/// <summary>An entry of the archive that the pickle stands in.</summary>
/// <param name="Key">The entry's name.</param>
/// <param name="Elements">How many it holds.</param>
internal sealed record PickledStorage(ScalarType Type, string Key, long Elements)
{
    /// <param name="id">
    /// What torch.save pickles in a storage's place: 'storage', its class, its key, the device that it was on, its length.
    /// </param>
    public static PickledStorage Of(object? id) =>
        id is object?[] and ["storage", PickledGlobal.Storage storage, string key, string, >= 0L and long elements]
        ? new PickledStorage(storage.Type, key, elements)
        : throw new FormatException("its pickle points to something else than a storage");
}

/// <summary>A dict or an OrderedDict.</summary>
internal sealed class PickledDict
{
    private Dictionary<string, object?>? _items;

    public Dictionary<string, object?> Items => _items ??= new(StringComparer.Ordinal);
}

/// <summary>One of the classes and functions of Python that a pickle may name.</summary>
internal abstract record PickledGlobal
{
    /// <exception cref="FormatException">A pickle may not name that one.</exception>
    public static PickledGlobal Of(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => new OrderedDict(),
        ("torch._utils", "_rebuild_tensor_v2") => new RebuildTensor(),
        ("torch._utils", "_rebuild_parameter") => new RebuildParameter(),
        ("torch", _) when ElementTypes.OfStorage(name) is { } type => new Storage(type),
        _ => throw new FormatException(
            $"its pickle names {InputException.Quote($"{module}.{name}")}, which is not read since it may do anything; expected tensors of "
            + "floats, integers or booleans only. Where you trust the file, load it with PyTorch and save such a state dict"),
    };

    public virtual object Call(object?[] arguments) => throw new FormatException("its pickle calls what is not to be called");

    private sealed record OrderedDict : PickledGlobal
    {
        public override object Call(object?[] arguments) =>
            arguments is []
                ? new PickledDict()
                : throw new FormatException("its pickle makes an OrderedDict in a way that is not read here");
    }

    // (storage, offset, size, stride, requires_grad, backward_hooks[, metadata])
    private sealed record RebuildTensor : PickledGlobal
    {
        public override object Call(object?[] arguments) =>
            arguments is [PickledStorage storage, long offset, object?[] shape, object?[] strides, bool, PickledDict, ..]
                && arguments.Length <= 7 && shape.All(size => size is long) && strides.All(stride => stride is long)
                ? new PickledTensor(storage, offset, [.. shape.Cast<long>()], [.. strides.Cast<long>()])
                : throw new FormatException("its pickle makes a tensor in a way that is not read here");
    }

    // (data, requires_grad, backward_hooks)
    private sealed record RebuildParameter : PickledGlobal
    {
        public override object Call(object?[] arguments) =>
            arguments is [PickledTensor tensor, bool, PickledDict]
                ? tensor
                : throw new FormatException("its pickle makes a parameter in a way that is not read here");
    }

    /// <summary>The class of storages of one type.</summary>
    public sealed record Storage(ScalarType Type) : PickledGlobal;
}
