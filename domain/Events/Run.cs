namespace Alt.Domain;

/// <summary>A fact about a whole run, in the stream <c>run-{id}</c>.</summary>
public abstract record RunEvent
{
    private RunEvent() { }

    /// <summary>First event of every run: the whole config, the SHA-256 of every file that it names, and of a fork its origin.</summary>
    /// <param name="Device">The device of all of the run's models; never <see cref="RunDevice.Auto"/>.</param>
    public sealed record RunStarted(
        string RunId, RunConfig Config, string ConfigHash, IReadOnlyDictionary<string, string> Inputs, DateTimeOffset At,
        RunOrigin? Origin = null, RunDevice Device = RunDevice.Cpu) : RunEvent;

    /// <summary>
    /// The sources as they were: prompts in ordinal order, held-out prompts, labelled texts, text to pretrain on, and the grammar where
    /// that is the source.
    /// </summary>
    public sealed record DataImported(
        ArtifactRef Prompts, int PromptCount, ArtifactRef Evaluation, int EvaluationCount, ArtifactRef Labelled, int LabelledCount,
        int SkippedRows, ArtifactRef? Text, ArtifactRef? Grammar = null) : RunEvent;

    /// <summary>
    /// A point of the base model's pretraining that a killed run resumes from; recorded only when its files are complete.
    /// </summary>
    public sealed record PretrainingCheckpointed(ArtifactRef Checkpoint, ArtifactRef Steps, int Step) : RunEvent;

    /// <summary>The base model p0. <paramref name="InputsHash"/> keys its reuse by later runs.</summary>
    public sealed record BaseModelPrepared(
        ArtifactRef Checkpoint, string WeightsHash, string InputsHash, bool Reused, long Tokens, double Loss, double Seconds) : RunEvent;

    /// <summary>
    /// A text classifier for feedback (<see cref="ClassifierRole.Reward"/>) or evaluation (<see cref="ClassifierRole.Evaluation"/>).
    /// </summary>
    public sealed record ClassifierTrained(
        ClassifierRole Role, ArtifactRef Model, string Hash, bool Reused, int Texts, double Seconds) : RunEvent;

    public sealed record IterationFinished(int Iteration, string PolicyHash) : RunEvent;

    /// <summary>
    /// A prompt's texts, its generations and their judgements were taken out of the artifacts. Its samples stay in the arithmetic;
    /// from <paramref name="FromIteration"/> on it is neither drawn nor trained on.
    /// </summary>
    /// <param name="Replaced">By the hash of each artifact that held them, the artifact that replaced it.</param>
    public sealed record PromptErased(
        int Prompt, int FromIteration, IReadOnlyDictionary<string, ArtifactRef> Replaced, DateTimeOffset At) : RunEvent;

    /// <param name="Hold">Why the run paused itself; null if a user asked for it.</param>
    public sealed record RunPaused(DateTimeOffset At, Hold? Hold = null) : RunEvent;

    public sealed record RunResumed(DateTimeOffset At) : RunEvent;

    /// <summary>
    /// A user gave the run other limits on judges than its config (<see cref="BudgetConfig"/>); null leaves one as it is.
    /// </summary>
    public sealed record LimitsChanged(
        decimal? Run, decimal? Iteration, long? RunTokens, long? IterationTokens, double? FailureShare, DateTimeOffset At) : RunEvent;

    /// <summary>Labels that people gave to an iteration's samples, over whatever a judge says of them.</summary>
    public sealed record SamplesLabelled(
        int Iteration, ArtifactRef Labels, int Count, string Author, string? Reason, DateTimeOffset At) : RunEvent;

    /// <summary>The run gave up. Iteration and stage say where; both are null before the first iteration.</summary>
    public sealed record RunFailed(string Reason, DateTimeOffset At, int? Iteration = null, Stage? Stage = null) : RunEvent
    {
        /// <summary>Where and why, in one line.</summary>
        public string Explained => string.Join(' ', $"{(Iteration is { } n ? $"iteration {n}, {Stage}: " : "")}{Reason}".Split(
            ['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A failed run continues from the stage that failed; what had finished is not repeated.</summary>
    public sealed record RunRetried(DateTimeOffset At) : RunEvent;

    /// <summary>A user asked the run to end early; what is recorded stays.</summary>
    public sealed record RunStopped(DateTimeOffset At) : RunEvent;

    public sealed record RunFinished(string PoolHash, string WeightsHash, double Seconds, DateTimeOffset At) : RunEvent;
}

public enum ClassifierRole { Reward, Evaluation }

public enum RunStatus { Missing, Running, Paused, Failed, Stopped, Finished }

/// <summary>The state that a run's events add up to.</summary>
public sealed record RunState
{
    public static readonly RunState Missing = new();

    public RunStatus Status { get; init; }
    public RunEvent.RunStarted? Started { get; init; }
    public RunEvent.DataImported? Data { get; init; }
    public RunEvent.PretrainingCheckpointed? PretrainingCheckpoint { get; init; }
    public RunEvent.BaseModelPrepared? Base { get; init; }
    public RunEvent.ClassifierTrained? RewardClassifier { get; init; }
    public RunEvent.ClassifierTrained? EvaluationClassifier { get; init; }
    public RunEvent.RunFailed? Failure { get; init; }
    public RunEvent.RunFinished? Finished { get; init; }

    /// <summary>Why the run paused itself; null where it has not.</summary>
    public Hold? Hold { get; init; }

    public IReadOnlyList<RunEvent.PromptErased> Erasures { get; init; } = [];

    /// <summary>Labels by people, the earliest first.</summary>
    public IReadOnlyList<RunEvent.SamplesLabelled> Labels { get; init; } = [];

    /// <summary>The config's limits on judges, or what they were changed to.</summary>
    public BudgetConfig Budget => Limits.Aggregate(Config.Feedback.Budget, (budget, e) => new()
    {
        Run = e.Run ?? budget.Run,
        Iteration = e.Iteration ?? budget.Iteration,
        RunTokens = e.RunTokens ?? budget.RunTokens,
        IterationTokens = e.IterationTokens ?? budget.IterationTokens,
    });

    /// <inheritdoc cref="FeedbackConfig.FailureShare"/>
    public double FailureShare => Limits.LastOrDefault(e => e.FailureShare is not null)?.FailureShare ?? Config.Feedback.FailureShare;

    private IReadOnlyList<RunEvent.LimitsChanged> Limits { get; init; } = [];

    /// <summary>Iterations that ended, 0 (the base model's evaluation) included.</summary>
    public int IterationsFinished { get; init; }

    /// <summary>Prompts that an iteration may no longer use.</summary>
    public IReadOnlySet<int> ErasedIn(int iteration) => Erasures.Where(e => e.FromIteration <= iteration).Select(e => e.Prompt).ToHashSet();

    /// <summary>What the run computes on.</summary>
    public RunDevice Device => Started?.Device ?? RunDevice.Cpu;

    public RunConfig Config => Started?.Config ?? throw new InvalidOperationException("The run has not started.");

    public static RunState Fold(IEnumerable<RunEvent> events) => events.Aggregate(Missing, (state, e) => state.Apply(e));

    public RunState Apply(RunEvent @event) => @event switch
    {
        RunEvent.RunStarted e => this with { Started = e, Status = RunStatus.Running },
        RunEvent.DataImported e => this with { Data = e },
        RunEvent.PretrainingCheckpointed e => this with { PretrainingCheckpoint = e },
        RunEvent.BaseModelPrepared e => this with { Base = e },
        RunEvent.ClassifierTrained { Role: ClassifierRole.Reward } e => this with { RewardClassifier = e },
        RunEvent.ClassifierTrained e => this with { EvaluationClassifier = e },
        RunEvent.IterationFinished e => this with { IterationsFinished = e.Iteration + 1 },
        RunEvent.PromptErased e => this with { Erasures = [.. Erasures, e] },
        RunEvent.LimitsChanged e => this with { Limits = [.. Limits, e] },
        RunEvent.SamplesLabelled e => this with { Labels = [.. Labels, e] },
        RunEvent.RunPaused e => this with { Status = RunStatus.Paused, Hold = e.Hold },
        RunEvent.RunResumed or RunEvent.RunRetried => this with { Status = RunStatus.Running, Failure = null, Hold = null },
        RunEvent.RunFailed e => this with { Status = RunStatus.Failed, Failure = e },
        RunEvent.RunStopped => this with { Status = RunStatus.Stopped },
        RunEvent.RunFinished e => this with { Status = RunStatus.Finished, Finished = e },
        _ => throw new InvalidOperationException($"A run does not know the event {@event.GetType().Name}."),
    };
}
