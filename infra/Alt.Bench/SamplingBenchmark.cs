using System.Diagnostics;
using Alt.Domain;
using Alt.Model.Decoding;
using Alt.Model.Network;
using Alt.Model.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Bench;

/// <summary>How fast a model with random weights samples.</summary>
/// <param name="Parameters">How many weights it has.</param>
public sealed record SamplingFigures(long Parameters, string Device, IReadOnlyList<SamplingCase> Cases, SharedPromptFigures? SharedPrompt);

/// <summary>One batch from prompts to last tokens; medians of the repetitions.</summary>
/// <param name="TokensPerSecond">New tokens per second.</param>
/// <param name="Gflops">The weight matrices' share of the work, in 10^9 floating-point operations per second of the whole.</param>
/// <param name="PackedGflops">
/// The same matrix products alone, at the same shapes, in the same run, by the kernels that decode; null on a GPU, where they do not.
/// </param>
/// <param name="LibtorchGflops">The same products by libtorch.</param>
public sealed record SamplingCase(
    int Batch, int PromptTokens, int NewTokens, string ElementType, double TokensPerSecond, double Gflops, double? PackedGflops,
    double LibtorchGflops)
{
    /// <summary>The highest that the products alone reach.</summary>
    public double CeilingGflops => Math.Max(PackedGflops ?? 0, LibtorchGflops);

    /// <summary>The share of the ceiling that the whole reaches.</summary>
    public double Ratio => Gflops / CeilingGflops;
}

/// <summary>Generations of one long prompt, and as many of prompts that differ, so that each is read.</summary>
public sealed record SharedPromptFigures(int Generations, int PromptTokens, int NewTokens, double SharedSeconds, double SeparateSeconds)
{
    public double Speedup => SeparateSeconds / SharedSeconds;
}

/// <summary>Measures sampling. The default shape is GPT-2's with 124 million weights.</summary>
/// <param name="repetitions">Measurements after one that warms up; the medians count.</param>
public sealed class SamplingBenchmark(DecoderConfig config, Device? device = null, int repetitions = 5, Action<string>? progress = null)
{
    private readonly Device _device = device ?? CPU;

    /// <summary>Batches of short prompts in both element types, and one long prompt's many generations.</summary>
    public SamplingFigures Run()
    {
        var cases = new List<SamplingCase>();
        SharedPromptFigures? shared = null;
        foreach (var type in new[] { float32, bfloat16 })
        {
            using var model = LanguageModel.Create(config, seed: 1, _device, type);
            cases.AddRange(new[] { 32, 96 }.Select(batch => Measure(model, batch)));
            shared ??= Shared(model);
        }

        return new SamplingFigures(config.Parameters, _device.ToString(), cases, shared);
    }

    internal SamplingCase Measure(LanguageModel model, int batch, int promptTokens = 16, int newTokens = 20)
    {
        var sampler = new Sampler(model, Exactly(newTokens), batch);
        var jobs = Jobs(batch, promptTokens, differ: true);
        var (seconds, packed, libtorch) = (new List<double>(), new List<double>(), new List<double>());
        using var products = new MatrixProducts(model);
        // They take turns, so that other load on the machine affects all of them.
        for (var i = 0; i <= repetitions; i++)
        {
            seconds.Add(Time(() => sampler.Sample(jobs)));
            libtorch.Add(Time(() => products.ByLibtorch(batch, promptTokens, newTokens)));
            if (products.HasKernels)
            {
                packed.Add(Time(() => products.ByKernels(batch, promptTokens, newTokens)));
            }

            progress?.Invoke(
                $"batch {batch}, {Name(model)}, {(i == 0 ? "warmed up" : $"{i} of {repetitions}")}: {seconds[^1]:F2} s; products alone "
                + $"{(packed.Count > 0 ? $"{packed[^1]:F2} s, by libtorch " : "")}{libtorch[^1]:F2} s");
        }

        // The prompts are read in one pass, of which only the last row goes through the head; each other new token is one more pass.
        var flops = 2.0 * batch * (products.LayerElements * (promptTokens + newTokens - 1) + products.HeadElements * newTokens) / 1e9;
        return new SamplingCase(
            batch, promptTokens, newTokens, Name(model), batch * newTokens / Median.Of(seconds[1..]), flops / Median.Of(seconds[1..]),
            packed.Count > 0 ? flops / Median.Of(packed[1..]) : null, flops / Median.Of(libtorch[1..]));
    }

    internal SharedPromptFigures Shared(LanguageModel model, int generations = 96, int promptTokens = 400, int newTokens = 20)
    {
        var sampler = new Sampler(model, Exactly(newTokens), generations);
        var shared = Time(() => sampler.Sample(Jobs(generations, promptTokens, differ: false)));
        var separate = Time(() => sampler.Sample(Jobs(generations, promptTokens, differ: true)));
        progress?.Invoke(
            $"{generations} generations of one prompt of {promptTokens} tokens: {shared:F1} s; of as many prompts {separate:F1} s");
        return new SharedPromptFigures(generations, promptTokens, newTokens, shared, separate);
    }

    private static SamplingOptions Exactly(int newTokens) => new() { MinNewTokens = newTokens, MaxNewTokens = newTokens };

    private SamplingJob[] Jobs(int count, int tokens, bool differ) =>
        [.. Enumerable.Range(0, count).Select(i =>
            new SamplingJob(TrainingBenchmark.Tokens(config, differ ? i : 0, tokens), new RandomKey(1, 0, Stage.Sampling, i)))];

    private static string Name(LanguageModel model) => model.ElementType.ToString().ToLowerInvariant();

    private static double Time(Action action)
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }

    /// <summary>A model's weight matrices alone.</summary>
    private sealed class MatrixProducts : IDisposable
    {
        private readonly PackedModel? _packed;
        private readonly WorkerTeam? _team;
        private readonly WeightMatrices _weights;

        public MatrixProducts(LanguageModel model)
        {
            _weights = new WeightMatrices(model);
            if (model.Device.type == DeviceType.CPU)
            {
                (_packed, _team) = (model.Packed(), new WorkerTeam(Environment.ProcessorCount));
            }
        }

        public bool HasKernels => _packed is not null;

        public double LayerElements => WeightMatrices.Elements(_weights.Layers);

        public double HeadElements => WeightMatrices.Elements(_weights.Head);

        public void ByLibtorch(int batch, int promptTokens, int newTokens)
        {
            using var gradients = no_grad();
            set_num_threads(Environment.ProcessorCount);
            Multiply(_weights.Layers, batch * promptTokens);
            Multiply([_weights.Head], batch);
            for (var step = 1; step < newTokens; step++)
            {
                Multiply(_weights.All, batch);
            }

            ModelThreads.Apply();
        }

        public void ByKernels(int batch, int promptTokens, int newTokens)
        {
            using var scope = NewDisposeScope();
            var matrices = _packed!.Blocks.SelectMany(block => new[] { block.Attention, block.Projection, block.Inner, block.Outer })
                .ToArray();
            DecodingMatrix[] all = [.. matrices, _packed.Head];
            var rows = Math.Min(PackedDecoder.RowsPerPass, batch * promptTokens);
            var (inputs, outputs) = (Buffer(all.Max(m => m.Inputs)), Buffer(all.Max(m => m.Outputs)));
            for (var read = 0; read < batch * promptTokens; read += rows)
            {
                Multiply(matrices, Math.Min(rows, batch * promptTokens - read));
            }

            Multiply([_packed.Head], batch);
            for (var step = 1; step < newTokens; step++)
            {
                Multiply(all, batch);
            }

            Tensor Buffer(long width) => zeros([Math.Max(rows, batch), width]);

            void Multiply(DecodingMatrix[] matrices, int count) => _team!.Run(_ =>
            {
                foreach (var matrix in matrices)
                {
                    matrix.Multiply(
                        _team, Rows.Of(inputs) with { Width = matrix.Inputs }, count, Rows.Of(outputs) with { Width = matrix.Outputs },
                        Epilogue.Store);
                    _team.Sync();
                }
            });
        }

        public void Dispose()
        {
            _team?.Dispose();
            _weights.Dispose();
        }

        private static void Multiply(Tensor[] matrices, long rows)
        {
            foreach (var matrix in matrices)
            {
                using var scope = NewDisposeScope();
                empty([rows, matrix.shape[0]], matrix.dtype, matrix.device).zero_().mm(matrix);
            }
        }
    }
}
