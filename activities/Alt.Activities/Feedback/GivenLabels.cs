using Alt.Domain;

namespace Alt.Activities;

/// <summary>Labels that a person gives to a run's samples, and why.</summary>
public sealed record GivenLabels(IReadOnlyList<HumanLabel> Labels, string Author, string? Reason = null);
