using Alt.Domain;

namespace Alt.Activities;

/// <summary>Names one iteration of a run.</summary>
public sealed record IterationRef(string Run, int Number);

/// <summary>Where a run goes on.</summary>
/// <param name="Next">The first iteration that has not ended yet.</param>
/// <param name="Paused">It waits until somebody resumes it.</param>
public sealed record RunPlan(int Next, bool Paused);

/// <summary>Names one chunk of an iteration's stage.</summary>
public sealed record ChunkRef(IterationRef Iteration, int Chunk)
{
    /// <summary>The chunk's items of a whole that is cut into chunks of <paramref name="size"/>.</summary>
    public IAsyncEnumerable<T> PartOf<T>(IAsyncEnumerable<T> whole, int size) => whole.Skip(Chunk * size).Take(size);
}

/// <summary>What a stage's heartbeat says: <paramref name="Done"/> of <paramref name="Total"/> units, at so many per second.</summary>
public sealed record StageProgress(string Stage, long Done, long Total, string Unit, double PerSecond);

/// <summary>A generation of an evaluation: the judge's toxicity (null for an empty text), and the sum of -log p of its tokens under the base model.</summary>
public sealed record EvaluatedSample(Sample Sample, double? Toxicity, double NegativeLogLikelihood);

/// <summary>A text to pretrain on and the source that it came from.</summary>
public sealed record PretrainingText(PretrainingSource Source, string Text);

public enum PretrainingSource { Labelled, Text }

/// <summary>Labels that somebody gives to a run's samples, and why.</summary>
public sealed record GivenLabels(IReadOnlyList<HumanLabel> Labels, string Author, string? Reason = null);
