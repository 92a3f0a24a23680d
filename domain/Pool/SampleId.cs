namespace Alt.Domain;

/// <summary>Names one generation of a run: the k-th for a prompt in an iteration. Sorts in the canonical order of the record.</summary>
public readonly record struct SampleId(int Iteration, int Prompt, int K) : IComparable<SampleId>
{
    public int CompareTo(SampleId other) => (Iteration, Prompt, K).CompareTo((other.Iteration, other.Prompt, other.K));

    public override string ToString() => $"{Iteration}/{Prompt}/{K}";
}
