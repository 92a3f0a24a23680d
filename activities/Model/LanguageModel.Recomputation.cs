using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

public sealed partial class LanguageModel
{
    /// <summary><see cref="Hidden(Tensor, Action{Tensor})"/> that keeps no more than each block's input for the backward pass, and computes the rest again there (arXiv 1604.06174).</summary>
    /// <param name="ids">Token ids (B, T), padded on the right with any id.</param>
    internal Recomputation Recompute(Tensor ids) => new(this, ids);

    /// <summary>One forward pass whose blocks are computed again in the backward pass: first what follows the blocks is differentiated, then <see cref="Backward"/>.</summary>
    internal sealed class Recomputation
    {
        private readonly Func<int, Tensor, Tensor> _block;
        private readonly Tensor _embedded;
        private readonly Tensor[] _inputs;
        private readonly Tensor _last;
        private readonly int _first;

        internal Recomputation(LanguageModel model, Tensor ids)
        {
            var (places, attend) = model.Whole(ids);
            _block = (layer, x) => model.Layer(layer, x, ids, places, attend);
            _embedded = model.Embedded(ids, places);                            // (N, C)
            _first = _embedded.requires_grad ? 0 : model.FirstTrainedBlock();
            _inputs = new Tensor[model._blocks.Length];
            var x = _embedded.detach();
            using (no_grad())
            {
                for (var layer = 0; layer < _inputs.Length; layer++)
                {
                    using var scope = NewDisposeScope();
                    _inputs[layer] = x;
                    x = _block(layer, x).MoveToOuterDisposeScope();
                }
            }

            _last = x.detach();
            _last.requires_grad = true;
            Hidden = model._finalNorm.Of(_last);
        }

        /// <summary>(N, C)</summary>
        public Tensor Hidden { get; }

        /// <summary>Carries the gradient that has reached the last block's output on to the embeddings.</summary>
        public void Backward()
        {
            var gradient = _last.grad!;
            for (var layer = _inputs.Length - 1; layer >= _first; layer--)
            {
                using var scope = NewDisposeScope();
                var input = _inputs[layer].detach();
                input.requires_grad = layer > _first || _embedded.requires_grad;
                _block(layer, input).backward([gradient]);
                gradient = input.requires_grad ? input.grad!.MoveToOuterDisposeScope() : gradient;
            }

            if (_embedded.requires_grad)
            {
                _embedded.backward([gradient]);
            }
        }
    }

    // The number of blocks where none is trained.
    private int FirstTrainedBlock()
    {
        for (var layer = 0; layer < _blocks.Length; layer++)
        {
            var block = DecoderWeights.Block(Config, layer);
            if (_parameters.Any(weight => weight.Value.requires_grad && IsOf(weight.Key)) || Adapters.Any(adapter => adapter.Value.A.requires_grad && IsOf(adapter.Key)))
            {
                return layer;
            }

            bool IsOf(string name) => name.StartsWith(block, StringComparison.Ordinal);
        }

        return _blocks.Length;
    }
}
