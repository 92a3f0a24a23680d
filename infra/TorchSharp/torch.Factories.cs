using System.Runtime.InteropServices;
using static TorchSharp.PInvoke.Operator;

namespace TorchSharp;

public static partial class torch
{
    public static Tensor zeros(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        With(requires_grad, Call("aten::zeros", size, dtype, default(PInvoke.Argument), device));

    public static Tensor ones(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        With(requires_grad, Call("aten::ones", size, dtype, default(PInvoke.Argument), device));

    public static Tensor empty(long[] size, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        With(requires_grad, Call("aten::empty.memory_format", size, dtype, default(PInvoke.Argument), device));

    public static Tensor full(long[] size, Scalar value, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        With(requires_grad, Call("aten::full", size, value, dtype, default(PInvoke.Argument), device));

    public static Tensor arange(Scalar stop, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
        With(requires_grad, Call("aten::arange", stop, dtype, default(PInvoke.Argument), device));

    public static Tensor zeros_like(Tensor input) => Call("aten::zeros_like", input);
    public static Tensor empty_like(Tensor input) => Call("aten::empty_like", input);

    public static Tensor tensor(float scalar, Device? device = null, bool requires_grad = false) =>
        tensor([scalar], device: device, requires_grad: requires_grad).reshape();

    /// <summary>A tensor of one dimension that holds a copy of the data.</summary>
    public static Tensor tensor(float[] dataArray, Device? device = null, bool requires_grad = false) =>
        Copied<float>(dataArray, float32, device, requires_grad);

    /// <inheritdoc cref="tensor(float[], Device?, bool)"/>
    public static Tensor tensor(double[] dataArray, Device? device = null, bool requires_grad = false) =>
        Copied<double>(dataArray, float64, device, requires_grad);

    /// <inheritdoc cref="tensor(float[], Device?, bool)"/>
    public static Tensor tensor(long[] dataArray, Device? device = null, bool requires_grad = false) =>
        Copied<long>(dataArray, int64, device, requires_grad);

    /// <inheritdoc cref="tensor(float[], Device?, bool)"/>
    public static Tensor tensor(bool[] dataArray, Device? device = null, bool requires_grad = false) =>
        Copied<bool>(dataArray, @bool, device, requires_grad);

    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => Call("aten::cat", PInvoke.Argument.List(tensors), dim);
    public static Tensor stack(IList<Tensor> tensors, long dim = 0) => Call("aten::stack", PInvoke.Argument.List(tensors), dim);
    public static Tensor where(Tensor condition, Tensor x, Tensor y) => Call("aten::where.self", condition, x, y);
    public static Tensor addmm(Tensor input, Tensor mat1, Tensor mat2) => Call("aten::addmm", input, mat1, mat2);
    public static Tensor matmul(Tensor input, Tensor target) => input.matmul(target);

    /// <summary><c>beta * input + alpha * batch1 @ batch2</c> for each matrix of a batch.</summary>
    public static Tensor baddbmm(Tensor input, Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) =>
        Call("aten::baddbmm", input, batch1, batch2, (double)beta, (double)alpha);

    private static Tensor Copied<T>(ReadOnlySpan<T> values, ScalarType type, Device? device, bool requiresGrad)
        where T : unmanaged
    {
        var tensor = empty([values.Length], type);
        values.CopyTo(MemoryMarshal.Cast<byte, T>(tensor.bytes));
        return With(requiresGrad, device is null or { type: DeviceType.CPU } ? tensor : tensor.to(device));
    }

    private static Tensor With(bool requiresGrad, Tensor tensor)
    {
        if (requiresGrad)
        {
            tensor.requires_grad = true;
        }

        return tensor;
    }
}
