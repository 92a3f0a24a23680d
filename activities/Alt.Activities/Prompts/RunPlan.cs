namespace Alt.Activities;

/// <summary>Where a run continues.</summary>
/// <param name="Next">The first iteration that has not ended yet.</param>
/// <param name="Paused">The run waits until a user resumes it.</param>
public sealed record RunPlan(int Next, bool Paused);
