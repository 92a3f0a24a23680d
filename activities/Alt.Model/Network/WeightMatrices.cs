using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// A model's weight matrices alone, for the ceilings of benchmarks. Each is (inputs, outputs), a view of the model's memory.
/// </summary>
internal sealed class WeightMatrices : IDisposable
{
    public WeightMatrices(LanguageModel model)
    {
        var (config, architecture) = (model.Config, model.Config.Architecture);
        Layers = [.. DecoderWeights.Of(config)
            .Where(weight => weight.Role is WeightRole.Matrix or WeightRole.ResidualMatrix
                && weight.Name.Contains($".{architecture.Weights.Blocks}.", StringComparison.Ordinal))
            .Select(weight => model.Parameters[weight.Name].detach()).Select(matrix => architecture.InputMajor ? matrix : matrix.t())];
        Head = model.Head.Weight.detach().t();
    }

    public Tensor[] Layers { get; }

    public Tensor Head { get; }

    public Tensor[] All => [.. Layers, Head];

    public static double Elements(params IEnumerable<Tensor> matrices) => matrices.Sum(matrix => (double)matrix.NumberOfElements);

    public void Dispose()
    {
        foreach (var matrix in All)
        {
            matrix.Dispose();
        }
    }
}
