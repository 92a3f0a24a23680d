using System.CommandLine;
using System.Text.Json;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Model.Sampling;

namespace Alt.Host.Commands;

/// <summary><c>alt sample</c>: generations of a run's policy for any file of prompts, in this process.</summary>
internal static class SampleCommand
{
    private static readonly Option<string> Run = new("--run")
    {
        Description = "The run whose policy is sampled.",
        HelpName = "RUN",
        Required = true
    };
    private static readonly Option<int?> Iteration = new("--iteration")
    {
        Description = "Which policy; 0 is the base model, unconditioned. Default: the last one trained.",
        HelpName = "K"
    };
    private static readonly Option<string?> Feedback = new("--feedback")
    {
        Description = "Feedback to put in front of each prompt. Default: the run's best.",
        HelpName = "TEXT"
    };
    private static readonly Option<string> PromptsFile = new("--prompts")
    {
        Description = """JSON lines {"prompt":{"text":"…"}} or {"prompt":"…"}.""",
        HelpName = "FILE",
        Required = true
    };
    private static readonly Option<int> N = new("--n") { Description = "Generations per prompt.", HelpName = "N", Required = true };
    private static readonly Option<double?> TopP = new("--top-p")
    {
        Description = "Default: the run's own for evaluation.",
        HelpName = "P"
    };
    private static readonly Option<double?> Temperature = new("--temperature")
    {
        Description = "Default: the run's own for evaluation.",
        HelpName = "T"
    };
    private static readonly Option<int?> MaxNewTokens = new("--max-new-tokens")
    {
        Description = "Default: the run's own for evaluation.",
        HelpName = "M"
    };
    private static readonly Option<long?> Seed = new("--seed") { Description = "Default: the run's own.", HelpName = "S" };
    private static readonly Option<RunDevice?> Device = new("--device")
    {
        Description = "Where the policy is: cpu, cuda or auto. Default: the run's own.",
        HelpName = "DEVICE"
    };
    private static readonly Option<string> Out = new("--out")
    {
        Description = "JSON lines {prompt, generations:[{text, finishReason, tokens}]}.",
        HelpName = "FILE",
        Required = true
    };

    public static Command Create()
    {
        var command = new Command("sample", "Sample a run's policy for any file of prompts.")
        {
            Run, Iteration, Feedback, PromptsFile, N, TopP, Temperature, MaxNewTokens, Seed, Device, Out
        };
        Device.AcceptOnlyFromAmong("cpu", "cuda", "auto");
        command.SetAction(RunAsync);
        return command.WithExamples(
            "./alt sample --run second --prompts prompts.jsonl --n 5 --out generations.jsonl",
            "./alt sample --run second --iteration 0 --prompts prompts.jsonl --n 5 --out base.jsonl");
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken token)
    {
        var (name, n) = (RunId.Check(parsed.GetValue(Run)!), parsed.GetValue(N));
        if (n < 1)
        {
            throw new InputException($"--n {n}: expected 1 or more");
        }

        var prompts = PromptFile.Read(parsed.GetValue(PromptsFile)!);
        var home = AltHome.Find();
        await using var record = await LedgerConnection.OpenExistingAsync(home, token);
        var ledger = record.Ledger;
        var run = await ledger.ExistingRunAsync(name, token);
        var config = run.Config;
        var options = OptionsOf(parsed, config);
        var iteration = parsed.GetValue(Iteration) ?? await LastTrainedAsync(ledger, name, config, token);
        if (iteration < 0 || iteration > config.Iterations)
        {
            throw new InputException($"--iteration {iteration}: run '{name}' has the iterations 0 to {config.Iterations}");
        }

        using var policies = new Policies(new ArtifactStore(home.Artifacts), home.Models);
        var policy = await policies.LoadAsync(
            (await PolicyTrail.AfterAsync(ledger, name, iteration, token)).Checkpoint,
            parsed.GetValue(Device) is { } device ? ModelDevice.Choose(device) : run.Device, token);
        var sampler = SamplerOf(policy, config, iteration, parsed.GetValue(Feedback));
        var key = new RandomKey(parsed.GetValue(Seed) ?? config.Seed, iteration, Stage.Evaluation);
        await WriteAsync(parsed.GetValue(Out)!, prompts.Chunk(config.Sampling.ChunkPrompts).Select(
            chunk => (chunk, sampler.Sample(chunk, n, options, config.Sampling.BatchSize, key, token: token))), n, token);
        return 0;
    }

    private static SamplingOptions OptionsOf(ParseResult parsed, RunConfig config)
    {
        var own = config.Evaluation;
        var changed = config with
        {
            Evaluation = own with
            {
                TopP = parsed.GetValue(TopP) ?? own.TopP,
                Temperature = parsed.GetValue(Temperature) ?? own.Temperature,
                MaxNewTokens = parsed.GetValue(MaxNewTokens) ?? own.MaxNewTokens,
            },
        };
        // The config's checks decide which values are valid.
        return changed.Problems().FirstOrDefault() is { } problem ? throw new InputException(problem) : changed.Evaluation.ToOptions();
    }

    private static async Task<int> LastTrainedAsync(Ledger ledger, string run, RunConfig config, CancellationToken token)
    {
        for (var iteration = config.Iterations; iteration > 0; iteration--)
        {
            if ((await ledger.IterationAsync(new(run, iteration), token)).Training is not null)
            {
                return iteration;
            }
        }

        return 0;
    }

    private static PolicySampler SamplerOf(Policy policy, RunConfig config, int iteration, string? feedback)
    {
        if (iteration == 0)
        {
            return feedback is null
                ? PolicySampler.Unconditioned(policy, config.Prompts)
                : throw new InputException(
                    "--feedback: iteration 0 is the base model, which knows no feedback; choose a trained iteration");
        }

        return PolicySampler.Conditioned(policy, config.Prompts, config.QuantileFeedback(), c =>
            feedback is null ? c.Of(0) : c.Of(feedback));
    }

    private static Task<int> WriteAsync(
        string path, IEnumerable<(Prompt[] Prompts, IReadOnlyList<Sample> Samples)> chunks, int n, CancellationToken token) =>
        WholeFile.WriteAsync("--out", path, async stream =>
        {
            await using var writer = new StreamWriter(stream, leaveOpen: true);
            var lines = 0;
            foreach (var (prompt, generations) in chunks.SelectMany(c => c.Prompts.Zip(c.Samples.Chunk(n))))
            {
                var line = new SampledPrompt(prompt.Text, [.. generations.Select(g => new SampledText(g.Text, g.FinishReason, g.Tokens))]);
                await writer.WriteLineAsync(JsonSerializer.Serialize(line, AltJson.Options).AsMemory(), token);
                lines++;
            }

            return lines;
        });

    private sealed record SampledPrompt(string Prompt, IReadOnlyList<SampledText> Generations);

    /// <param name="Tokens">Ids of the tokens as they were drawn, the end-of-text token included.</param>
    private sealed record SampledText(string Text, FinishReason FinishReason, IReadOnlyList<int> Tokens);
}
