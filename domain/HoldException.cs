namespace Alt.Domain;

/// <summary>The work cannot continue until a person does what the message says; the run waits, it has not failed.</summary>
public sealed class HoldException(string message) : Exception(message);
