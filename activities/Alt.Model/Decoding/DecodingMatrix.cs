using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Alt.Model.Products;
using static TorchSharp.torch;

namespace Alt.Model.Decoding;

/// <summary>What happens to a product before it is written.</summary>
internal enum Epilogue
{
    Store,

    /// <summary>It is added to the existing values.</summary>
    Add,

    GeluTanh,
    Gelu,
}

/// <summary>A weight matrix in the form that multiplies fastest. Axes: R rows, K inputs, N outputs.</summary>
/// <param name="bias">(N), with zeros to the end of the last piece of the product.</param>
internal abstract class DecodingMatrix(int inputs, int outputs, float[] bias) : IDisposable
{
    /// <summary>K</summary>
    public int Inputs => inputs;

    /// <summary>N</summary>
    public int Outputs => outputs;

    /// <param name="weight">(N, K) in single precision or bfloat16.</param>
    /// <param name="bias">(N)</param>
    public static DecodingMatrix Of(Tensor weight, Tensor? bias) =>
        weight.dtype == bfloat16 ? new HalfMatrix(weight, bias) : new PackedMatrix(weight, bias);

    /// <summary>Multiplies rows (R, K) by the matrix; every worker of the team calls this, and waits after it.</summary>
    /// <param name="result">(R, N), or wider.</param>
    public abstract void Multiply(WorkerTeam team, Rows rows, int count, Rows result, Epilogue epilogue);

    public abstract void Dispose();

    protected static float[] Padded(Tensor? bias, int length)
    {
        var padded = new float[length];
        if (bias is not null)
        {
            using var scope = NewDisposeScope();
            bias.detach().to(float32).cpu().contiguous().Floats().CopyTo(padded);
        }

        return padded;
    }

    /// <summary>Writes a piece of a row of the product.</summary>
    /// <param name="product">
    /// A multiple of the lanes long; it is overwritten. What stands in it beyond the result's length is left out.
    /// </param>
    /// <param name="column">The piece's first output.</param>
    protected void Finish(Span<float> product, int column, Span<float> result, Epilogue epilogue)
    {
        AddBias(product, bias.AsSpan(column, product.Length), epilogue);
        if (epilogue == Epilogue.Add)
        {
            RowKernels.Add(product[..result.Length], result);
        }
        else
        {
            product[..result.Length].CopyTo(result);
        }
    }

    private static void AddBias(Span<float> product, ReadOnlySpan<float> bias, Epilogue epilogue)
    {
        ref var p = ref MemoryMarshal.GetReference(product);
        ref var b = ref MemoryMarshal.GetReference(bias);
        for (nuint i = 0; i < (nuint)product.Length; i += (nuint)Vector512<float>.Count)
        {
            var sum = Vector512.LoadUnsafe(ref p, i) + Vector512.LoadUnsafe(ref b, i);
            sum = epilogue switch
            {
                Epilogue.GeluTanh => VectorMath.GeluTanh(sum),
                Epilogue.Gelu => VectorMath.Gelu(sum),
                _ => sum,
            };
            sum.StoreUnsafe(ref p, i);
        }
    }
}
