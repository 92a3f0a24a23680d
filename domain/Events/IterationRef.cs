namespace Alt.Domain;

/// <summary>Names one iteration of a run.</summary>
public sealed record IterationRef(string Run, int Number)
{
    public IterationRef Before() => this with { Number = Number - 1 };
}

/// <summary>Names one chunk of an iteration's stage.</summary>
public sealed record ChunkRef(IterationRef Iteration, int Chunk);
