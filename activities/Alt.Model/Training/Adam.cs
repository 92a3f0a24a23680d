using Alt.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Training;

/// <summary>
/// Adam with decoupled weight decay (AdamW, Loshchilov and Hutter), its state in the open so that a checkpoint can hold it.
/// </summary>
/// <param name="beta1">Decay of the mean of gradients.</param>
/// <param name="beta2">Decay of the mean of squared gradients.</param>
/// <param name="epsilon">Keeps the division finite.</param>
/// <param name="weightDecay">Share of the learning rate by which weight matrices shrink each step; biases and norms do not.</param>
internal sealed class Adam(double beta1, double beta2, double epsilon, double weightDecay) : IDisposable
{
    private const string MeanPrefix = "exp_avg.", SquarePrefix = "exp_avg_sq.";

    private readonly Dictionary<string, (Tensor Mean, Tensor Square)> _moments = [];

    /// <summary>How many updates were made.</summary>
    public int Updates { get; private set; }

    /// <summary>Updates the weights from their gradients.</summary>
    /// <param name="weights">In single precision.</param>
    /// <param name="gradients">By the weights' names; of any precision.</param>
    /// <param name="gradientScale">What the gradients are multiplied by first (clipping, and the loss scale's inverse).</param>
    public void Update(
        IReadOnlyDictionary<string, Tensor> weights, IEnumerable<KeyValuePair<string, Tensor>> gradients, double learningRate,
        double gradientScale)
    {
        Updates++;
        foreach (var (name, given) in gradients)
        {
            using var scope = NewDisposeScope();
            var (weight, gradient) = (weights[name], given.to(float32));
            if (!_moments.TryGetValue(name, out var moments))
            {
                moments = (zeros_like(weight).DetachFromDisposeScope(), zeros_like(weight).DetachFromDisposeScope());
                _moments[name] = moments;
            }

            var shrink = weight.dim() > 1 ? 1 - learningRate * weightDecay : 1;
            var correction = Math.Sqrt(1 - Math.Pow(beta2, Updates));
            var stepSize = learningRate * correction / (1 - Math.Pow(beta1, Updates));
            if (weight.device_type == DeviceType.CPU)
            {
                new AdamKernel(
                    (float)beta1, (float)beta2, (float)(epsilon * correction), (float)stepSize, (float)shrink, (float)gradientScale)
                    .Run(weight, gradient.contiguous(), moments.Mean, moments.Square);
            }
            else
            {
                UpdateByOperators(
                    weight.detach(), gradient, moments.Mean, moments.Square, epsilon * correction, stepSize, shrink, gradientScale);
            }
        }
    }

    /// <summary>The state by name, as PyTorch calls its parts.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State =>
        _moments.SelectMany(moments => new KeyValuePair<string, Tensor>[]
        {
            new(MeanPrefix + moments.Key, moments.Value.Mean), new(SquarePrefix + moments.Key, moments.Value.Square)
        });

    /// <summary>Restores a state that <see cref="State"/> returned.</summary>
    public void Restore(SafetensorsFile file, IReadOnlyDictionary<string, Tensor> weights, int updates)
    {
        Updates = updates;
        foreach (var (name, weight) in weights)
        {
            // Before the first update there is no state.
            if (file.Entries.ContainsKey(MeanPrefix + name))
            {
                _moments[name] = (Read(MeanPrefix + name), Read(SquarePrefix + name));
            }

            Tensor Read(string part)
            {
                using var scope = NewDisposeScope();
                return file.Read(part).to(weight.device).DetachFromDisposeScope();
            }
        }
    }

    public void Dispose()
    {
        foreach (var (mean, square) in _moments.Values)
        {
            mean.Dispose();
            square.Dispose();
        }
    }

    /// <summary>The same as <see cref="AdamKernel"/>, for GPUs.</summary>
    internal void UpdateByOperators(
        Tensor w, Tensor g, Tensor m, Tensor v, double scaledEpsilon, double stepSize, double shrink, double gradientScale)
    {
        g.mul_(gradientScale);
        m.mul_(beta1).add_(g, 1 - beta1);
        v.mul_(beta2).addcmul_(g, g, 1 - beta2);
        w.mul_(shrink).addcdiv_(m, v.sqrt().add_(scaledEpsilon), -stepSize);
    }
}
