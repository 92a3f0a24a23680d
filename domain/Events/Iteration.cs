namespace Alt.Domain;

/// <summary>A fact about one iteration, in the stream <c>iteration-{run}-{n}</c>.</summary>
public abstract record IterationEvent
{
    private IterationEvent() { }

    /// <summary>Prompts: what this iteration works on, in chunk order.</summary>
    public sealed record PromptsDrawn(ArtifactRef Prompts, int Count, int Chunks) : IterationEvent;

    /// <summary>
    /// One chunk of Sampling, Feedback or Evaluation; a retry that finds it repeats nothing. A second one of Feedback replaces
    /// the first: samples in quarantine were judged again.
    /// </summary>
    public sealed record ChunkFinished(Stage Stage, int Chunk, ArtifactRef Result, int Count, long Tokens, double Seconds) : IterationEvent;

    /// <summary>Sampling: <paramref name="Conditioning"/> is the feedback f̂ that the policy was given, null in iteration 1.</summary>
    public sealed record GenerationsSampled(
        string PolicyHash, string? Conditioning, int Samples, int Truncated, long Tokens, double Seconds) : IterationEvent;

    /// <summary>Feedback: how every sample's judgement ended.</summary>
    public sealed record FeedbackCollected(
        string Judge, string JudgeVersion, int Labelled, int Abstained, int Unparsed, int Failed, double MeanReward, double Seconds,
        int Vetoed = 0) : IterationEvent;

    /// <summary>
    /// DataPool: all entries with their quantile, best = 0. <paramref name="Doubts"/> is null where the rewards decide every quantile.
    /// </summary>
    public sealed record DataPoolUpdated(
        ArtifactRef Pool, string PoolHash, int Entries, int Added, IReadOnlyList<int> PerQuantile,
        RankingDoubts? Doubts = null) : IterationEvent;

    /// <summary>Selection: the training examples, and how many were left out for which reason.</summary>
    public sealed record BatchSelected(ArtifactRef Batch, int Selected, IReadOnlyDictionary<string, int> LeftOut) : IterationEvent;

    /// <summary>Training: a point that a killed run resumes from; recorded only when its files are complete.</summary>
    public sealed record TrainingCheckpointed(ArtifactRef Checkpoint, ArtifactRef Steps, int Step) : IterationEvent;

    public sealed record PolicyTrained(
        ArtifactRef Checkpoint, string WeightsHash, ArtifactRef Steps, int Count, double Loss, double Kl, double Entropy, long Tokens,
        double Seconds) : IterationEvent;

    /// <summary>
    /// Evaluation: <paramref name="Unjudged"/> and <paramref name="Improbable"/> generations are outside the toxicities and the perplexity.
    /// </summary>
    public sealed record PolicyEvaluated(
        EvaluationMetrics Metrics, int Unjudged, int Improbable, ArtifactRef Generations, int Prompts, int Samples,
        double Seconds) : IterationEvent;
}

/// <summary>The state that an iteration's events add up to.</summary>
public sealed record IterationState
{
    public static readonly IterationState Empty = new();

    public IterationEvent.PromptsDrawn? Prompts { get; init; }
    public IterationEvent.GenerationsSampled? Sampling { get; init; }
    public IterationEvent.FeedbackCollected? Feedback { get; init; }
    public IterationEvent.DataPoolUpdated? DataPool { get; init; }
    public IterationEvent.BatchSelected? Selection { get; init; }
    public IterationEvent.TrainingCheckpointed? TrainingCheckpoint { get; init; }
    public IterationEvent.PolicyTrained? Training { get; init; }
    public IterationEvent.PolicyEvaluated? Evaluation { get; init; }

    private IReadOnlyDictionary<(Stage, int), IterationEvent.ChunkFinished> Finished { get; init; } =
        new Dictionary<(Stage, int), IterationEvent.ChunkFinished>();

    /// <summary>Whether anything is recorded.</summary>
    public bool Begun => Finished.Count > 0 || this with { Finished = Empty.Finished } != Empty;

    /// <summary>The stage that the iteration is in: the first that has not ended.</summary>
    public Stage Current =>
        Evaluation is not null ? Stage.Report
        : Training is not null ? Stage.Evaluation
        : Selection is not null ? Stage.Training
        : DataPool is not null ? Stage.Selection
        : Feedback is not null ? Stage.DataPool
        : Sampling is not null ? Stage.Feedback
        : Prompts is not null ? Stage.Sampling
        : Stage.Prompts;

    public IterationEvent.ChunkFinished? Chunk(Stage stage, int chunk) => Finished.GetValueOrDefault((stage, chunk));

    /// <summary>The stage's finished chunks in chunk order, whatever order they finished in.</summary>
    public IReadOnlyList<IterationEvent.ChunkFinished> Chunks(Stage stage) =>
        [.. Finished.Values.Where(c => c.Stage == stage).OrderBy(c => c.Chunk)];

    public static IterationState Fold(IEnumerable<IterationEvent> events)
    {
        var finished = new Dictionary<(Stage, int), IterationEvent.ChunkFinished>();
        var state = Empty with { Finished = finished };
        foreach (var @event in events)
        {
            if (@event is IterationEvent.ChunkFinished chunk)
            {
                finished[(chunk.Stage, chunk.Chunk)] = chunk;
            }
            else
            {
                state = state.Apply(@event);
            }
        }

        return state;
    }

    private IterationState Apply(IterationEvent @event) => @event switch
    {
        IterationEvent.PromptsDrawn e => this with { Prompts = e },
        IterationEvent.GenerationsSampled e => this with { Sampling = e },
        IterationEvent.FeedbackCollected e => this with { Feedback = e },
        IterationEvent.DataPoolUpdated e => this with { DataPool = e },
        IterationEvent.BatchSelected e => this with { Selection = e },
        IterationEvent.TrainingCheckpointed e => this with { TrainingCheckpoint = e },
        IterationEvent.PolicyTrained e => this with { Training = e },
        IterationEvent.PolicyEvaluated e => this with { Evaluation = e },
        _ => throw new InvalidOperationException($"An iteration does not know the event {@event.GetType().Name}."),
    };
}
