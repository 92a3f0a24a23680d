using System.Runtime.InteropServices;

namespace TorchSharp.PInvoke;

/// <summary>What a <see cref="NativeArgument"/> holds; numbered as in native/alt_torch.cpp.</summary>
internal enum ArgumentKind { None, Tensor, Int, Double, Bool, IntList, TensorList, Device, String }

/// <summary>One argument or result of an operator as the native library takes it.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct NativeArgument
{
    [FieldOffset(0)] internal ArgumentKind Kind;
    [FieldOffset(4)] internal int Count;
    [FieldOffset(8)] internal long Integer;
    [FieldOffset(8)] internal double Number;
    [FieldOffset(8)] internal nint Pointer;
}

/// <summary>Everything that the native library tells of a tensor but its sizes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TensorInfo
{
    internal nint Data;
    internal long Elements;
    internal int Dimensions;
    internal int ScalarType;
    internal int ElementSize;
    internal int DeviceType;
    internal int DeviceIndex;
    internal int IsContiguous;
    internal int RequiresGrad;
    internal int IsLeaf;
}
