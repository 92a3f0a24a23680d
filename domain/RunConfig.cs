using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>Everything that decides a run's result. Checked once at the start, stored in <see cref="RunStarted"/>, never changed after.</summary>
public sealed record RunConfig
{
    /// <summary>What the experiment is called; the prefix of generated run ids.</summary>
    public string Name { get; init; } = "run";

    /// <summary>The seed from which every random choice derives.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>How many times the loop runs. Iteration 0 is the base model and is only evaluated.</summary>
    /// <value>Default 4.</value>
    public int Iterations { get; init; } = 4;

    /// <summary>Where the run's models are held and computed: the policy, the reference, and a judge's checkpoint.</summary>
    /// <value>Default cpu: a config gives the same bits on machines with the same kind of processor and the same libtorch, with a GPU or without. A GPU rounds otherwise, so that one is used only where a config asks for it.</value>
    /// <remarks>Absent by default from what is recorded and hashed, as it is in runs from before this setting.</remarks>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public RunDevice Device { get; init; }

    public DataConfig Data { get; init; } = new();
    public ModelConfig Model { get; init; } = new();
    public ClassifierConfig RewardModel { get; init; } = new();
    public PromptsConfig Prompts { get; init; } = new();
    public SamplingConfig Sampling { get; init; } = new();
    public FeedbackConfig Feedback { get; init; } = new();
    public DataPoolConfig DataPool { get; init; } = new();
    public SelectionConfig Selection { get; init; } = new();
    public TrainingConfig Training { get; init; } = new();
    public EvaluationConfig Evaluation { get; init; } = new();

    /// <summary>The feedback with one tag per quantile: with fewer quantiles than tags, tags evenly spread from the best to the worst.</summary>
    public FeedbackConfig QuantileFeedback()
    {
        var (tags, count) = (Feedback.Tags, Selection.Quantiles);
        return count == 0 ? Feedback : Feedback with { Tags = [.. Enumerable.Range(0, count).Select(q => tags[q * (tags.Count - 1) / (count - 1)])] };
    }

    /// <summary>
    /// The feedback that an iteration's samples are given: the best; null in iteration 1, which samples from the base model.
    /// Where the judge uses words of its own, it is what a prompt is given that has no exemplar.
    /// </summary>
    public string? ConditioningOf(int iteration) => iteration > 1 ? QuantileFeedback().Tags[0] : null;

    /// <summary>Whether samples are given exemplars in the judge's own words (ALT_LMU) rather than the best tag.</summary>
    [JsonIgnore]
    public bool HasExemplars => Feedback.Provider is FeedbackProvider.LanguageModel { Reply: JudgeReply.Unconstrained };

    /// <summary>One line per setting that cannot work: key, value, what was expected.</summary>
    public IEnumerable<string> Problems()
    {
        foreach (var (ok, problem) in Checks())
        {
            if (!ok)
            {
                yield return problem;
            }
        }
    }

    private IEnumerable<(bool Ok, string Problem)> Checks()
    {
        yield return (Iterations >= 0, $"iterations is {Iterations}, expected 0 or more");
        yield return (Data.Grammar is null != Data.Prompts is null,
            "data needs exactly one source of prompts: data.prompts (a JSON-lines file) or data.grammar (a YAML file)");
        yield return (Data.Grammar is not null || Data.Evaluation is not null, "data.evaluation is missing, expected a JSON-lines file of prompts");
        yield return (Model.Width > 0 && Model.Heads > 0 && Model.Width % Model.Heads == 0, $"model.width {Model.Width} is not a multiple of model.heads {Model.Heads}");
        yield return (Model.Layers > 0, $"model.layers is {Model.Layers}, expected 1 or more");
        yield return (Model.Vocabulary >= 300, $"model.vocabulary is {Model.Vocabulary}, expected at least 300 (256 bytes and the special tokens)");
        yield return (Prompts.PerIteration > 0, $"prompts.perIteration is {Prompts.PerIteration}, expected 1 or more");
        yield return (!Prompts.ChatTemplate || Model.Checkpoint is not null, "prompts.chatTemplate is true, expected model.checkpoint too: the model that a run pretrains has no chat template");
        yield return (Prompts.SystemMessage is null || Prompts.ChatTemplate, "prompts.systemMessage is given, expected prompts.chatTemplate too, which says where it stands");
        yield return (Sampling.Generations > 0, $"sampling.generations is {Sampling.Generations}, expected 1 or more");
        yield return (Sampling.ChunkPrompts > 0, $"sampling.chunkPrompts is {Sampling.ChunkPrompts}, expected 1 or more");
        yield return (Feedback.Tags.Count >= 2, "feedback.tags needs at least two tags, best first");
        yield return (Selection.Quantiles == 0 || Selection.Quantiles >= 2 && Selection.Quantiles <= Feedback.Tags.Count,
            $"selection.quantiles is {Selection.Quantiles}, expected 2 to {Feedback.Tags.Count}, one tag of feedback.tags each, or 0 (as many as tags)");
        yield return (Feedback.Tags.Distinct().Count() == Feedback.Tags.Count, "feedback.tags holds the same tag twice");
        yield return (Selection.Quantiles == 0 || Selection.Ranking != Ranking.Category, $"selection.quantiles is {Selection.Quantiles}, expected 0 where selection.ranking is category");
        yield return (Feedback.FailureShare is >= 0 and <= 1, $"feedback.failureShare is {Feedback.FailureShare}, expected 0 to 1");
        yield return (Feedback.Budget is { Run: >= 0, Iteration: >= 0, RunTokens: >= 0, IterationTokens: >= 0 }, "feedback.budget must not be negative; 0 is no limit");
        foreach (var problem in Feedback.Provider.Problems("feedback.provider", this))
        {
            yield return (false, problem);
        }

        foreach (var check in Training.Checks(Model))
        {
            yield return check;
        }

        yield return (Evaluation.Prompts > 0 && Evaluation.Generations > 0, "evaluation.prompts and evaluation.generations must be 1 or more");
        foreach (var (name, o) in new[] { ("sampling", Sampling.ToOptions()), ("evaluation", Evaluation.ToOptions()) })
        {
            yield return (o.Temperature > 0, $"{name}.temperature is {o.Temperature}, expected more than 0");
            yield return (o.TopP is > 0 and <= 1, $"{name}.topP is {o.TopP}, expected above 0 and at most 1");
            yield return (o.TopK >= 0, $"{name}.topK is {o.TopK}, expected 0 (off) or more");
            yield return (o.MinNewTokens >= 0 && o.MaxNewTokens > 0 && o.MinNewTokens <= o.MaxNewTokens,
                $"{name}.minNewTokens {o.MinNewTokens} and maxNewTokens {o.MaxNewTokens} do not fit together");
        }
    }
}

/// <summary>Cpu: the processor. Cuda: the first GPU. Auto: the GPU where the worker has one when the run starts, otherwise the processor; what it was is recorded, and stays.</summary>
public enum RunDevice { Cpu, Cuda, Auto }

/// <summary>Where prompts, text and labels come from: files, or a grammar that generates all of them.</summary>
public sealed record DataConfig
{
    /// <summary>A YAML grammar of comments (see infra/quickstart); takes the place of every other source.</summary>
    public string? Grammar { get; init; }

    /// <summary>JSON lines <c>{"prompt":{"text"}}</c> or <c>{"prompt":"…"}</c> to draw training prompts from.</summary>
    public string? Prompts { get; init; }

    /// <summary>Prompts of the same shape, for evaluation only.</summary>
    public string? Evaluation { get; init; }

    /// <summary>JSON lines with scored prompts and continuations, for the reward model and the judge; null takes <see cref="Prompts"/>.</summary>
    public string? Labelled { get; init; }

    /// <summary>Plain text to pretrain the base model on, beside the labelled rows' prompts and continuations.</summary>
    public IReadOnlyList<string> Text { get; init; } = [];

    /// <summary>Share of the pretraining tokens that comes from <see cref="Labelled"/> rather than <see cref="Text"/>.</summary>
    /// <value>Default 0.6.</value>
    public double LabelledShare { get; init; } = 0.6;

    /// <summary>How many comments the grammar generates to pretrain on.</summary>
    /// <value>Default 45,000.</value>
    public int Comments { get; init; } = 45_000;
}

/// <summary>The base model p0: a checkpoint folder as Hugging Face writes it, or an architecture to pretrain as the run's stage 0.</summary>
public sealed record ModelConfig
{
    /// <summary>A folder with config.json, a tokenizer and the weights: model.safetensors, pytorch_model.bin, or shards of either with their index. Null pretrains one.</summary>
    public string? Checkpoint { get; init; }

    public int Layers { get; init; } = 4;
    public int Width { get; init; } = 144;
    public int Heads { get; init; } = 4;

    /// <summary>Longest sequence, in tokens.</summary>
    public int Positions { get; init; } = 128;

    /// <summary>Size of the byte-level BPE vocabulary that is trained on the pretraining text.</summary>
    public int Vocabulary { get; init; } = 1_000;

    public PretrainingConfig Pretraining { get; init; } = new();
}

/// <summary>Plain language modelling on blocks of tokens; Adam, linear warm-up and decay.</summary>
public sealed record PretrainingConfig
{
    public int Steps { get; init; } = 1_000;
    public int BatchSize { get; init; } = 32;

    /// <summary>Tokens per row.</summary>
    public int BlockLength { get; init; } = 64;

    public double LearningRate { get; init; } = 2e-3;
    public double WarmupShare { get; init; } = 0.05;
    public double Beta2 { get; init; } = 0.98;
    public double WeightDecay { get; init; } = 0.01;

    /// <summary>Norm that the gradient is clipped to; 0 is off.</summary>
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>Steps between checkpoints that a killed run resumes from.</summary>
    public int CheckpointEvery { get; init; } = 250;
}

/// <summary>A text classifier: n-gram features, logistic regression, calibrated probabilities. The reward is 1 - P(toxic).</summary>
public sealed record ClassifierConfig
{
    /// <summary>Which labelled rows it may learn from, so that the evaluation's judge can be kept unseen by the reward model.</summary>
    public LabelledRows Rows { get; init; } = LabelledRows.All;

    /// <summary>Adds character 2- to 5-grams to the word 1- and 2-grams.</summary>
    public bool Characters { get; init; } = true;

    /// <summary>Labelled comments to generate where a grammar is the source.</summary>
    public int Comments { get; init; } = 4_000;

    /// <summary>Share of the grammar's labels that is flipped, as human labels are.</summary>
    public double LabelNoise { get; init; } = 0.05;

    /// <summary>Strength of the L2 penalty.</summary>
    public double L2 { get; init; } = 1.0;
}

public enum LabelledRows { All, Odd, Even }

public sealed record PromptsConfig
{
    /// <summary>Prompts drawn per iteration: without replacement inside an iteration, with replacement across iterations.</summary>
    public int PerIteration { get; init; } = 300;

    /// <summary>Prompts of iteration 1, whose unconditioned samples are the pool's stock of bad ones; 0 takes <see cref="PerIteration"/>.</summary>
    public int FirstIteration { get; init; }

    /// <summary>
    /// Wrap each prompt as a user's message by the chat template of <c>model.checkpoint</c>, as its model was trained to read one. Feedback then stands where
    /// that message begins, inside the user's turn; without it the model reads what transformers' <c>apply_chat_template</c> gives.
    /// </summary>
    /// <remarks>This and the next setting are absent by default from what is recorded and hashed, as they are in runs from before them.</remarks>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ChatTemplate { get; init; }

    /// <summary>What the template is given as the system's message; null leaves it to the template, which may have one of its own.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public string? SystemMessage { get; init; }

    public int CountIn(int iteration) => iteration == 1 && FirstIteration > 0 ? FirstIteration : PerIteration;
}

public sealed record SamplingConfig
{
    /// <summary>Generations per prompt (n).</summary>
    public int Generations { get; init; } = 5;

    public double Temperature { get; init; } = 1.0;
    public double TopP { get; init; } = 1.0;
    public int TopK { get; init; }
    public int MinNewTokens { get; init; }
    public int MaxNewTokens { get; init; } = 20;

    /// <summary>Prompts per activity. Part of the plan that decides batch shapes, so part of the result.</summary>
    public int ChunkPrompts { get; init; } = 64;

    /// <summary>Sequences decoded together.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>The decoding part of these settings.</summary>
    public SamplingOptions ToOptions() => new() { Temperature = Temperature, TopP = TopP, TopK = TopK, MinNewTokens = MinNewTokens, MaxNewTokens = MaxNewTokens };
}

/// <summary>How rewards become textual feedback f (paper section 2.3).</summary>
public sealed record FeedbackConfig
{
    /// <summary>One tag per quantile, best first.</summary>
    public IReadOnlyList<string> Tags { get; init; } =
        ["Lowest Toxicity", "Low-Moderate Toxicity", "Moderate Toxicity", "High-Moderate Toxicity", "Maximum Toxicity"];

    /// <summary>Text tags are written in ordinary tokens before the separator; special tags are one added token each.</summary>
    public TagEncoding Encoding { get; init; } = TagEncoding.Text;

    /// <summary>The added token between feedback and prompt.</summary>
    public string Separator { get; init; } = "<|separator|>";

    /// <summary>Who judges the samples.</summary>
    public FeedbackProvider Provider { get; init; } = new FeedbackProvider.RewardModel();

    public BudgetConfig Budget { get; init; } = new();

    /// <summary>Share of an iteration's samples that may stay without a label because their judgement failed or could not be read; beyond it the run pauses.</summary>
    public double FailureShare { get; init; } = 0.02;
}

public enum TagEncoding { Text, Special }

public sealed record DataPoolConfig
{
    /// <summary>Keep earlier iterations' samples in the pool (toxicity task) or start each iteration empty.</summary>
    public bool Accumulate { get; init; } = true;
}

public sealed record SelectionConfig
{
    /// <summary>Number of quantiles K that the pool is ranked into; 0 takes one per tag.</summary>
    public int Quantiles { get; init; }

    /// <summary>What the quantiles are of.</summary>
    public Ranking Ranking { get; init; } = Ranking.Pool;

    /// <summary>What happens to generations that hit the token limit.</summary>
    public TruncatedSamples Truncated { get; init; } = TruncatedSamples.Keep;

    /// <summary>What happens to a sample that has the text and the tokens of an earlier one of the same prompt.</summary>
    /// <remarks>Absent by default from what is recorded and hashed, as it is in runs from before this setting.</remarks>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public DuplicateSamples Duplicates { get; init; }

    /// <summary>At most this many per quantile, by seed; 0 takes all.</summary>
    public int PerQuantile { get; init; }
}

/// <summary>
/// Pool: rewards over the whole pool (toxicity). Prompt: rewards of one prompt's samples (ALT_RM and Quark on summaries).
/// Category: no ranking, a sample has the judge's category or score (ALT_LMC, SteerLM, ALT_LMU).
/// </summary>
public enum Ranking { Pool, Prompt, Category }

/// <summary>Keep: like any other. Last: only where a quantile has too few finished ones. Reject: never.</summary>
public enum TruncatedSamples { Keep, Last, Reject }

/// <summary>Keep: like any other. Reject: never.</summary>
public enum DuplicateSamples { Keep, Reject }

/// <summary>Conditional supervised fine-tuning, <c>NLL + beta*KL(p0||p) - alpha*H</c> as token mean (paper Eq. 1).</summary>
public sealed record TrainingConfig
{
    public int Steps { get; init; } = 80;
    public int BatchSize { get; init; } = 64;

    /// <summary>Micro-batches whose gradients are added up before a step; the batch size counts them all.</summary>
    public int Accumulation { get; init; } = 1;

    public double LearningRate { get; init; } = 5e-4;
    public double WarmupShare { get; init; } = 0.05;

    /// <summary>Linear decay to this share of the learning rate within an iteration.</summary>
    public double FinalShare { get; init; }

    public double Beta1 { get; init; } = 0.9;
    public double Beta2 { get; init; } = 0.999;
    public double WeightDecay { get; init; }
    public double ClipNorm { get; init; } = 1.0;

    /// <summary>beta, the weight of KL(p0||p); 0 leaves the reference model out.</summary>
    public double KlCoefficient { get; init; } = 0.05;

    /// <summary>alpha, the weight of the entropy bonus.</summary>
    public double EntropyCoefficient { get; init; } = 0.06;

    /// <summary>Carry Adam's moments from one iteration to the next.</summary>
    public bool KeepOptimiser { get; init; } = true;

    /// <summary>Re-initialise the feedback tokens' embeddings at this multiple of the embeddings' deviation before iteration 1; 0 is off.</summary>
    public double TagEmbeddingScale { get; init; }

    /// <summary>Steps between checkpoints that a killed run resumes from.</summary>
    public int CheckpointEvery { get; init; } = 100;

    /// <summary>What is computed in. The optimiser's weights and the checkpoints are float32 in any case.</summary>
    /// <remarks>This and the following settings are absent by default from what is recorded and hashed, as they are in runs from before them.</remarks>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public TrainingPrecision Precision { get; init; }

    /// <summary>Train low-rank adapters in place of the weights; null trains the weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public LoraConfig? Lora { get; init; }

    /// <summary>This many blocks, from the first on, and the embeddings keep their weights; a tied head is the token embedding, so it does too.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int FreezeLayers { get; init; }

    /// <summary>Compute each block again in the backward pass in place of keeping what it computed: less memory, more work, the same result.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool GradientCheckpointing { get; init; }

    /// <summary>How many GB (10^9 bytes) of weights one file of a checkpoint holds; more are saved in several files with an index. 0 takes 5.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double ShardGigabytes { get; init; }

    /// <summary><see cref="ShardGigabytes"/> in bytes.</summary>
    [JsonIgnore]
    public long LargestFile => (long)((ShardGigabytes == 0 ? 5 : ShardGigabytes) * 1e9);

    internal IEnumerable<(bool Ok, string Problem)> Checks(ModelConfig model)
    {
        yield return (Steps > 0 && BatchSize > 0, "training.steps and training.batchSize must be 1 or more");
        yield return (LearningRate > 0, $"training.learningRate is {LearningRate}, expected more than 0");
        yield return (KlCoefficient >= 0 && EntropyCoefficient >= 0, "training.klCoefficient and training.entropyCoefficient must not be negative");
        yield return (ShardGigabytes is >= 0 and <= 1e6, $"training.shardGigabytes is {ShardGigabytes}, expected 0 (takes 5) to 1000000");
        yield return (FreezeLayers >= 0, $"training.freezeLayers is {FreezeLayers}, expected 0 or more");
        yield return (model.Checkpoint is not null || FreezeLayers <= model.Layers, $"training.freezeLayers is {FreezeLayers}, expected at most model.layers, {model.Layers}");
        yield return (Lora is null or { Rank: > 0, Alpha: > 0 }, $"training.lora.rank is {Lora?.Rank} and training.lora.alpha {Lora?.Alpha}, expected more than 0");
        yield return (Lora is null || Lora.Targets.Count > 0 && Lora.Targets.Distinct().Count() == Lora.Targets.Count,
            "training.lora.targets needs at least one layer's name, each once: c_attn or q_proj, for example");
    }
}

/// <summary>The type of a training's weights, activations and gradients. Float16 needs a GPU; its loss is scaled so that small gradients do not vanish.</summary>
public enum TrainingPrecision { Float32, Bfloat16, Float16 }

/// <summary>Low-rank adapters (LoRA): <c>y = x W + (x A) B alpha / rank</c>, of which A and B are trained.</summary>
public sealed record LoraConfig
{
    /// <summary>Width of A and height of B.</summary>
    public int Rank { get; init; } = 8;

    public double Alpha { get; init; } = 16;

    /// <summary>The adapted layers by the last part of their weights' names, in every block: <c>c_attn</c> (GPT-2) or <c>q_proj</c>, for example.</summary>
    public IReadOnlyList<string> Targets { get; init; } = [];
}

public sealed record EvaluationConfig
{
    /// <summary>How many of the evaluation prompts are used, in file order.</summary>
    public int Prompts { get; init; } = 80;

    /// <summary>Generations per prompt.</summary>
    public int Generations { get; init; } = 25;

    public double Temperature { get; init; } = 1.0;
    public double TopP { get; init; } = 0.9;
    public int TopK { get; init; }
    public int MinNewTokens { get; init; }
    public int MaxNewTokens { get; init; } = 20;

    /// <summary>The classifier that judges; null takes the reward model itself.</summary>
    public ClassifierConfig? Judge { get; init; }

    /// <summary>The decoding part of these settings.</summary>
    public SamplingOptions ToOptions() => new() { Temperature = Temperature, TopP = TopP, TopK = TopK, MinNewTokens = MinNewTokens, MaxNewTokens = MaxNewTokens };
}
