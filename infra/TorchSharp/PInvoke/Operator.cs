using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace TorchSharp.PInvoke;

/// <summary>Calls libtorch's operators by name. An operator is written <c>aten::name.overload</c>, as in libtorch's native_functions.yaml.</summary>
internal static class Operator
{
    private const int MaximumResults = 64;

    private static readonly ConcurrentDictionary<string, nint> Known = new(StringComparer.Ordinal);

    /// <summary>Whether this libtorch has the operator at all.</summary>
    internal static bool Exists(string name) => Split(name, (op, overload) => NativeMethods.alt_operator(op, overload, required: 0)) != 0;

    /// <summary>Calls an operator that gives one tensor.</summary>
    internal static torch.Tensor Call(string name, params ReadOnlySpan<Argument> arguments)
    {
        var results = (Span<NativeArgument>)stackalloc NativeArgument[1];
        Invoke(name, arguments, results);
        return Tensor(results[0]);
    }

    /// <summary>Calls an operator that gives several tensors, as a tuple or as a list.</summary>
    internal static torch.Tensor[] CallMany(string name, params ReadOnlySpan<Argument> arguments)
    {
        var results = (Span<NativeArgument>)stackalloc NativeArgument[MaximumResults];
        var tensors = new torch.Tensor[Invoke(name, arguments, results)];
        for (var i = 0; i < tensors.Length; i++)
        {
            tensors[i] = Tensor(results[i]);
        }

        return tensors;
    }

    /// <summary>Calls an operator that changes the tensor, its first argument, and gives it back, as TorchSharp's members do.</summary>
    internal static torch.Tensor CallInPlace(string name, torch.Tensor tensor, params ReadOnlySpan<Argument> others)
    {
        Invoke(name, [tensor, .. others], []);
        return tensor;
    }

    private static torch.Tensor Tensor(in NativeArgument result) =>
        result.Kind == ArgumentKind.Tensor ? new(result.Pointer) : throw new ExternalException($"expected a tensor as result, got {result.Kind}");

    // Scratch memory is written before it is read.
    [SkipLocalsInit]
    private static unsafe int Invoke(string name, ReadOnlySpan<Argument> arguments, Span<NativeArgument> results)
    {
        const int stackWords = 64;
        var op = Known.GetOrAdd(name, Find);

        var words = 0;
        foreach (ref readonly var argument in arguments)
        {
            words += argument.Words;
        }

        // Lists must not move while libtorch reads them: the stack does not, nor does a pinned array.
        var scratch = words <= stackWords ? stackalloc long[stackWords] : GC.AllocateUninitializedArray<long>(words, pinned: true);
        var native = stackalloc NativeArgument[arguments.Length];
        for (var i = 0; i < arguments.Length; i++)
        {
            native[i] = Pack(arguments[i], ref scratch);
        }

        int count;
        fixed (NativeArgument* target = results)
        {
            count = NativeMethods.alt_call(op, native, arguments.Length, target, results.Length);
        }

        // The collector must not finalize a tensor while the call runs.
        foreach (ref readonly var argument in arguments)
        {
            GC.KeepAlive(argument.Reference);
        }

        NativeMethods.Check(count);
        return count;
    }

    private static unsafe NativeArgument Pack(in Argument argument, ref Span<long> scratch)
    {
        var native = new NativeArgument { Kind = argument.Kind, Integer = argument.Integer };
        switch (argument.Kind)
        {
            case ArgumentKind.Tensor:
                native.Pointer = ((torch.Tensor)argument.Reference!).Handle;
                return native;
            case ArgumentKind.Double:
                native.Number = argument.Number;
                return native;
            case ArgumentKind.Device:
                native.Count = (int)(argument.Integer >> 32);
                native.Integer = (int)argument.Integer;
                return native;
            case ArgumentKind.IntList:
                var integers = (long[])argument.Reference!;
                integers.CopyTo(scratch);
                native.Count = integers.Length;
                break;
            case ArgumentKind.TensorList:
                var tensors = (IList<torch.Tensor>)argument.Reference!;
                for (var i = 0; i < tensors.Count; i++)
                {
                    scratch[i] = tensors[i].Handle;
                }

                native.Count = tensors.Count;
                break;
            case ArgumentKind.String:
                native.Count = Encoding.ASCII.GetBytes((string)argument.Reference!, MemoryMarshal.AsBytes(scratch));
                break;
            default:
                return native;
        }

        native.Pointer = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(scratch));
        scratch = scratch[argument.Words..];
        return native;
    }

    private static nint Find(string name)
    {
        var op = Split(name, (op, overload) => NativeMethods.alt_operator(op, overload, required: 1));
        return op != 0 ? op : throw NativeMethods.LastError();
    }

    private static nint Split(string name, Func<string, string, nint> find)
    {
        var dot = name.IndexOf('.');
        return dot < 0 ? find(name, "") : find(name[..dot], name[(dot + 1)..]);
    }
}
