using Alt.Bench;
using Alt.Model.Network;
using Alt.Tests.Model;
using static TorchSharp.torch;

namespace Alt.Tests.Bench;

public class ModelBenchmarksTests
{
    [Fact]
    public void Benchmarks_measure_the_whole_against_its_matrix_products()
    {
        var figures = new TrainingBenchmark(TinyModel.Config, repetitions: 2).Run(batch: 2, tokens: 8);
        Assert.True(figures.TokensPerSecond > 0);
        Assert.True(figures.Gflops > 0);
        Assert.True(figures.PackedGflops > 0);
        Assert.True(figures.LibtorchGflops > 0);
        Assert.Equal(Math.Max(figures.PackedGflops.Value, figures.LibtorchGflops), figures.CeilingGflops);
        Assert.Equal(figures.Gflops / figures.CeilingGflops, figures.Ratio);
    }

    [Theory]
    [InlineData("gptj")]
    [InlineData("qwen2")]
    public void Every_architecture_has_its_products_for_a_ceiling(string name)
    {
        var config = DecoderConfig.Load(DecoderReference.FolderOf(name));
        using var model = LanguageModel.Create(config, seed: 1);
        using var weights = new WeightMatrices(model);
        // With a head of its own, the embedding is looked up, not multiplied.
        var multiplied = DecoderWeights.Of(config)
            .Where(weight => weight.Shape.Length == 2 && (config.TiedHead || weight.Name != DecoderWeights.TokenEmbedding(config)));
        Assert.Equal(multiplied.Sum(weight => weight.Elements), WeightMatrices.Elements(weights.All));
        Assert.All(weights.Layers, matrix =>
            Assert.Contains(matrix.shape[0], new long[] { config.Width, config.Heads * config.D, config.InnerWidth }));
        Assert.True(new TrainingBenchmark(config, repetitions: 1).Run(batch: 2, tokens: 8).CeilingGflops > 0);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Sampling_is_measured_against_the_products_of_its_kernels_and_of_libtorch(ScalarType type)
    {
        using var model = LanguageModel.Create(TinyModel.Config, seed: 1, type: type);
        var benchmark = new SamplingBenchmark(TinyModel.Config, repetitions: 2);
        var figures = benchmark.Measure(model, batch: 4, promptTokens: 3, newTokens: 5);
        Assert.True(figures.TokensPerSecond > 0);
        Assert.True(figures.PackedGflops > 0);
        Assert.True(figures.LibtorchGflops > 0);
        Assert.Equal(figures.Gflops / Math.Max(figures.PackedGflops.Value, figures.LibtorchGflops), figures.Ratio);

        var shared = benchmark.Shared(model, generations: 3, promptTokens: 18, newTokens: 2);
        Assert.Equal(shared.SeparateSeconds / shared.SharedSeconds, shared.Speedup);
    }
}
