using Alt.Model.Products;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Network;

public sealed partial class LanguageModel
{
    /// <summary>
    /// A forward pass to be differentiated: first what follows the hidden states, then <see cref="TrainingPass.Backward"/>.
    /// </summary>
    /// <param name="ids">Token ids (B, T), padded on the right with any id.</param>
    /// <param name="recompute">
    /// Whether to keep no more than each block's input, and to compute the rest again in the backward pass (arXiv 1604.06174).
    /// </param>
    internal TrainingPass Pass(Tensor ids, bool recompute) => new(this, ids, recompute);

    /// <summary>
    /// What a step keeps between forward and backward pass. On a processor the graph begins with the embedded tokens: the embedding's own
    /// gradient would be a matrix of the whole vocabulary, nearly all of it zeros, to be added to the one that the output layer has left
    /// there.
    /// </summary>
    /// <remarks>
    /// A GPU would add equal tokens' rows in any order and in the weights' own precision; the embedding's gradient there does neither.
    /// </remarks>
    internal sealed class TrainingPass
    {
        private readonly LanguageModel _model;
        private readonly Tensor _ids;
        private readonly Tensor? _leaf;         // (B, T, C)
        private readonly Recomputation? _recomputation;

        internal TrainingPass(LanguageModel model, Tensor ids, bool recompute)
        {
            (_model, _ids) = (model, ids);
            var (places, attend) = model.Whole(ids);
            if (model._tokens.requires_grad && model.Device.type == DeviceType.CPU)
            {
                _leaf = model._tokens.detach().Embed(ids);
                _leaf.requires_grad = true;
            }

            var embedded = model.Embedded(_leaf ?? model._tokens.Embed(ids), places);      // (N, C)
            if (recompute)
            {
                _recomputation = new Recomputation(model, embedded, (layer, x) => model.Layer(layer, x, ids, places, attend));
            }

            Hidden = _recomputation?.Hidden ?? model.Hidden(embedded, ids, places, attend);
        }

        /// <summary>(N, C)</summary>
        public Tensor Hidden { get; }

        /// <summary>Carries the gradient that has gone back from the hidden states on to the token embedding.</summary>
        public void Backward()
        {
            _recomputation?.Backward();
            if (_leaf is not null)
            {
                using var gradients = no_grad();
                var weight = _model._tokens;
                weight.grad ??= zeros_like(weight);
                weight.grad.index_add_(0, _ids.view(-1), _leaf.grad!.view(-1, _model.Config.Width), 1);
            }
        }
    }

    // Blocks that are computed again in the backward pass.
    private sealed class Recomputation
    {
        private readonly Func<int, Tensor, Tensor> _block;
        private readonly Tensor _embedded;
        private readonly Tensor[] _inputs;
        private readonly Tensor _last;
        private readonly int _first;

        public Recomputation(LanguageModel model, Tensor embedded, Func<int, Tensor, Tensor> block)
        {
            (_block, _embedded) = (block, embedded);
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
            Hidden = model._finalNorm.Forward(_last);
        }

        /// <summary>(N, C)</summary>
        public Tensor Hidden { get; }

        /// <summary>From the last block's output to what the first has read.</summary>
        public void Backward()
        {
            var gradient = _last.grad!;
            for (var layer = _inputs.Length - 1; layer >= _first; layer--)
            {
                using var scope = NewDisposeScope();
                var input = _inputs[layer].detach();
                input.requires_grad = layer > _first || _embedded.requires_grad;
                _block(layer, input).backward([gradient]);
                BackwardPass.ThrowFailure();
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
            if (_parameters.Any(weight => weight.Value.requires_grad && IsOf(weight.Key))
                || Adapters.Any(adapter => adapter.Value.A.requires_grad && IsOf(adapter.Key)))
            {
                return layer;
            }

            bool IsOf(string name) => name.StartsWith(block, StringComparison.Ordinal);
        }

        return _blocks.Length;
    }
}
