using Alt.Model.Products;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;
using Gelu = TorchSharp.Modules.GELU.Approximate;

namespace Alt.Model.Network;

public sealed partial class LanguageModel
{
    // One layer's weights, and what they compute. Axes as the model's.
    private sealed class Block(LanguageModel model, int layer)
    {
        private readonly DecoderConfig _config = model.Config;
        private readonly Norm _attentionNorm = model.NormOf(Name(model, layer, model.Names.AttentionNorm));
        private readonly Linear[] _attention = [.. model.Names.Attention.Select(name => model.LinearOf(Name(model, layer, name)))];
        private readonly Linear _projection = model.LinearOf(Name(model, layer, model.Names.Projection));
        private readonly Norm _innerNorm = model.NormOf(Name(model, layer, model.Names.InnerNorm));
        private readonly Linear[] _inner = [.. model.Names.Inner.Select(name => model.LinearOf(Name(model, layer, name)))];
        private readonly Linear _outer = model.LinearOf(Name(model, layer, model.Names.Outer));

        /// <param name="x">The residual stream (N, C).</param>
        /// <param name="attend">Queries, keys and values (N, (H + 2G) D) to what the heads read (N, HD).</param>
        /// <returns>The residual stream after this block (N, C).</returns>
        public Tensor Forward(Tensor x, Func<Tensor, Tensor> attend)
        {
            var read = _attentionNorm.Forward(x);                                        // (N, C)
            var attention = _projection.Forward(attend(QueriesKeysValues(read)));        // (N, C)
            switch (_config.Architecture.Residual)
            {
                case Residual.Sequential:
                    x = attention.add_(x);
                    return FeedForward(_innerNorm.Forward(x)).add_(x);
                case Residual.Parallel:
                    return FeedForward(_innerNorm.Forward(x)).add_(attention).add_(x);
                default:
                    return FeedForward(read).add_(attention).add_(x);
            }
        }

        private Tensor QueriesKeysValues(Tensor x)
        {
            if (_attention is not [var together])
            {
                return cat([.. _attention.Select(part => part.Forward(x))], 1);          // (N, (H + 2G) D)
            }

            var qkv = together.Forward(x);                                               // (N, 3HD)
            return _config.Architecture.AttentionWeights == AttentionWeights.ByHead
                ? qkv.view(-1, _config.Heads, 3, _config.D).transpose(1, 2).reshape(qkv.shape)
                : qkv;
        }

        private Tensor FeedForward(Tensor x)
        {
            var inner = _inner[0].Forward(x);                                            // (N, I)
            return _outer.Forward(_config.Architecture.Activation switch
            {
                Activation.SwiGlu => silu(inner) * _inner[1].Forward(x),
                Activation.Gelu => GeluKernel.Forward(inner, Gelu.none),
                _ => GeluKernel.Forward(inner, Gelu.tanh),
            });                                                                     // (N, C)
        }

        private static string Name(LanguageModel model, int layer, string part) => DecoderWeights.Block(model.Config, layer) + part;
    }

    private sealed record Norm(Tensor Weight, Tensor? Bias, DecoderConfig Config)
    {
        public Tensor Forward(Tensor x)
        {
            if (!Config.Architecture.RootMeanSquareNorm)
            {
                return layer_norm(x, [Config.Width], Weight, Bias, Config.NormEpsilon);
            }

            // In single precision, as transformers does it.
            var full = x.to(float32);
            var scale = (full.square().mean([-1], keepdim: true) + Config.NormEpsilon).rsqrt();     // (N, 1)
            return (full * scale).to(x.dtype) * Weight;
        }
    }

    private sealed record Linear(Tensor Weight, Tensor? Bias, bool InputMajor)
    {
        public LowRankAdapter? Adapter { get; set; }

        public Tensor Forward(Tensor x)
        {
            var y = Product.Takes(Weight) ? LinearFunction.Forward(x, new(Weight, Bias, InputMajor))
                : InputMajor ? addmm(Bias!, x, Weight, beta: 1, alpha: 1) : linear(x, Weight, Bias);        // (N, out)
            return Adapter is null ? y : y.add_(Adapter.Forward(x));
        }

        /// <summary>The weights with the adapter's product added.</summary>
        public Tensor Merged() => Weight.detach() + (InputMajor ? Adapter!.Product().t() : Adapter!.Product());
    }
}
