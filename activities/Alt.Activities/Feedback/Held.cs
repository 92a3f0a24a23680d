namespace Alt.Activities;

/// <summary>The answer of an activity whose work waits for a person.</summary>
/// <param name="Reason">What the person has to do.</param>
public sealed record Held(string Reason);
