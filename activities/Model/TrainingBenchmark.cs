using System.Diagnostics;
using Alt.Domain;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>How fast a model trains; medians of the repetitions.</summary>
/// <param name="TokensPerSecond">Tokens read per second.</param>
/// <param name="Gflops">The weight matrices' share of the work, in 10^9 floating-point operations per second of the whole.</param>
/// <param name="CeilingGflops">The same matrix products alone, at the same shapes, in the same run.</param>
public sealed record TrainingFigures(double TokensPerSecond, double Gflops, double CeilingGflops)
{
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
        using var trainer = new Trainer(model, null, text, new TrainerOptions { Steps = repetitions + 1, BatchSize = batch, LearningRate = 1e-5 });
        using var weights = new WeightMatrices(model);
        var matrices = weights.All;

        // Forward, and backward to the input and to the weights.
        var flops = 3 * 2.0 * batch * tokens * WeightMatrices.Elements(matrices);
        var (seconds, ceiling) = Measure(() => trainer.TakeStep(), () => MultiplyForAndBack(matrices, batch * tokens), progress);
        return new TrainingFigures(batch * tokens / seconds, flops / seconds / 1e9, flops / ceiling / 1e9);
    }

    // Whole and ceiling take turns, so that whatever else the machine does meets both.
    private (double Seconds, double Ceiling) Measure(Action whole, Action ceiling, Action<string>? progress)
    {
        var (seconds, ceilings) = (new List<double>(), new List<double>());
        for (var i = 0; i <= repetitions; i++)
        {
            seconds.Add(Time(whole));
            ceilings.Add(Time(ceiling));
            progress?.Invoke(i == 0 ? "warmed up" : $"{i} of {repetitions}: {seconds[^1]:F2} s, matrix products alone {ceilings[^1]:F2} s");
        }

        return (Median.Of(seconds[1..]), Median.Of(ceilings[1..]));
    }

    private static double Time(Action action)
    {
        ModelThreads.Apply();
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    private static void MultiplyForAndBack(Tensor[] matrices, long rows)
    {
        using var gradients = no_grad();
        foreach (var matrix in matrices)
        {
            using var scope = NewDisposeScope();
            var x = empty([rows, matrix.shape[0]], device: matrix.device).zero_();
            var gradient = x.mm(matrix);
            gradient.mm(matrix.t());
            x.t().mm(gradient);
        }
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
