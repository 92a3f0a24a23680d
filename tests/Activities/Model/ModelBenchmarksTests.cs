using Alt.Activities.Model;

namespace Alt.Tests.Activities.Model;

public class ModelBenchmarksTests
{
    [Fact]
    public void Benchmarks_measure_the_whole_against_its_matrix_products()
    {
        var benchmarks = new ModelBenchmarks(TinyModel.Config, repetitions: 2);
        Assert.All([benchmarks.Decode(batch: 4, promptTokens: 3, newTokens: 5), benchmarks.Training(batch: 2, tokens: 8)], figures =>
        {
            Assert.True(figures.TokensPerSecond > 0);
            Assert.True(figures.Gflops > 0);
            Assert.True(figures.CeilingGflops > 0);
            Assert.Equal(figures.Gflops / figures.CeilingGflops, figures.Ratio);
        });
    }
}
