namespace Alt.Domain;

/// <summary>The work cannot go on until somebody does what the message says; the run waits, it has not failed.</summary>
public sealed class HoldException(string message) : Exception(message);
