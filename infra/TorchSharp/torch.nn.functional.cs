using TorchSharp.Modules;
using static TorchSharp.PInvoke.Operator;

namespace TorchSharp
{
    namespace Modules
    {
        /// <summary>Here for its nested enum only.</summary>
        public static class GELU
        {
            /// <summary>How GELU is computed: exactly, or by GPT-2's formula with tanh.</summary>
            public enum Approximate
            {
                none,
                tanh,
            }
        }
    }

    public static partial class torch
    {
        public static class nn
        {
            public static class functional
            {
                public static Tensor embedding(Tensor x, Tensor weight) => Call("aten::embedding", weight, x);

                public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                    Call("aten::layer_norm", input, normalized_shape, weight, bias, eps);

                public static Tensor linear(Tensor input, Tensor weight, Tensor? bias = null) => Call("aten::linear", input, weight, bias);

                public static Tensor gelu(Tensor x, GELU.Approximate approximate, bool inplace = false) =>
                    inplace ? CallInPlace("aten::gelu_", x, approximate.ToString()) : Call("aten::gelu", x, approximate.ToString());

                public static Tensor silu(Tensor x, bool inplace = false) => inplace ? CallInPlace("aten::silu_", x) : Call("aten::silu", x);

                public static Tensor softmax(Tensor input, long dim) => input.softmax(dim);

                public static Tensor log_softmax(Tensor input, long dim) => input.log_softmax(dim);
            }
        }
    }
}
