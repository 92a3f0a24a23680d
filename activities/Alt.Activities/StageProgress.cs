using Alt.Domain;

namespace Alt.Activities;

/// <summary>What a stage's heartbeat says: <paramref name="Done"/> of <paramref name="Total"/> units, at so many per second.</summary>
public sealed record StageProgress(Stage Stage, long Done, long Total, string Unit, double PerSecond);
