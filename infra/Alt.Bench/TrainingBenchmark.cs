using System.Diagnostics;
using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Products;
using Alt.Model.Training;
using static TorchSharp.torch;

namespace Alt.Bench;

/// <summary>How fast a model trains; medians of the repetitions.</summary>
/// <param name="TokensPerSecond">Tokens read per second.</param>
/// <param name="Gflops">The weight matrices' share of the work, in 10^9 floating-point operations per second of the whole.</param>
/// <param name="PackedGflops">
/// The same matrix products alone, at the same shapes, in the same run, by the kernels that train; null on a GPU, where they do not.
/// </param>
/// <param name="LibtorchGflops">The same products by libtorch, with a thread per core.</param>
public sealed record TrainingFigures(double TokensPerSecond, double Gflops, double? PackedGflops, double LibtorchGflops)
{
    /// <summary>The highest that the products alone reach.</summary>
    public double CeilingGflops => Math.Max(PackedGflops ?? 0, LibtorchGflops);

    /// <summary>The share of the ceiling that the whole reaches.</summary>
    public double Ratio => Gflops / CeilingGflops;
}

/// <summary>How fast a model with random weights trains on this machine. The defaults are GPT-2 with 124 million weights.</summary>
/// <param name="config">The model's shape.</param>
/// <param name="repetitions">Measurements after one that warms up; the medians count.</param>
public sealed class TrainingBenchmark(DecoderConfig config, Device? device = null, int repetitions = 5)
{
    /// <summary>Whole updates of plain language modelling: forward, backward, clipping, Adam.</summary>
    /// <param name="progress">Called after each repetition.</param>
    public TrainingFigures Run(int batch = 8, int tokens = 64, Action<string>? progress = null)
    {
        using var model = LanguageModel.Create(config, seed: 1, device);
        var text = new TokenBlocks(Tokens(config, 0, batch * tokens * (repetitions + 1) + 1), tokens);
        using var trainer = new Trainer(
            model, null, text, new TrainerOptions { Steps = repetitions + 1, BatchSize = batch, LearningRate = 1e-5 });
        using var weights = new WeightMatrices(model);
        var matrices = weights.All;

        // Forward, and backward to the input and to the weights.
        var flops = 3 * 2.0 * batch * tokens * WeightMatrices.Elements(matrices);
        var (seconds, packed, libtorch) = (new List<double>(), new List<double>(), new List<double>());
        // They take turns, so that other load on the machine affects all of them.
        for (var i = 0; i <= repetitions; i++)
        {
            seconds.Add(Time(() => trainer.TakeStep()));
            libtorch.Add(Time(() => ByLibtorch(matrices, batch * tokens)));
            if (matrices.All(Product.Takes))
            {
                packed.Add(Time(() => ByKernels(matrices, batch * tokens)));
            }

            progress?.Invoke(
                i == 0 ? "warmed up" : $"{i} of {repetitions}: {seconds[^1]:F2} s; products alone "
                    + $"{(packed.Count > 0 ? $"{packed[^1]:F2} s, by libtorch " : "")}{libtorch[^1]:F2} s");
        }

        return new TrainingFigures(
            batch * tokens / Median.Of(seconds[1..]), Gflops(seconds), packed.Count > 0 ? Gflops(packed) : null, Gflops(libtorch));

        double Gflops(List<double> times) => flops / Median.Of(times[1..]) / 1e9;
    }

    private static double Time(Action action)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    private static void ByKernels(Tensor[] matrices, long rows)
    {
        foreach (var tensor in matrices)
        {
            using var scope = NewDisposeScope();
            var matrix = tensor.is_contiguous() ? Matrix.Of(tensor) : Matrix.Of(tensor.t()).Transposed;
            var x = Matrix.Of(zeros([rows, matrix.Rows]));
            var gradient = Matrix.Of(Product.Of(x, matrix));
            Product.Of(gradient, matrix.Transposed);
            // In the order in which the model keeps the gradient.
            _ = tensor.is_contiguous() ? Product.Of(x.Transposed, gradient) : Product.Of(gradient.Transposed, x);
        }
    }

    private static void ByLibtorch(Tensor[] matrices, long rows)
    {
        using var gradients = no_grad();
        set_num_threads(Environment.ProcessorCount);
        foreach (var matrix in matrices)
        {
            using var scope = NewDisposeScope();
            var x = empty([rows, matrix.shape[0]], device: matrix.device).zero_();
            var gradient = x.mm(matrix);
            gradient.mm(matrix.t());
            x.t().mm(gradient);
        }

        ModelThreads.Apply();
    }

    internal static int[] Tokens(DecoderConfig config, int row, int count)
    {
        var tokens = new int[count];
        for (var t = 0; t < count; t++)
        {
            tokens[t] = Philox.Integer(new RandomKey(1, 0, Stage.Training, row), (uint)t, config.Vocabulary);
        }

        return tokens;
    }
}
