namespace Alt.Domain;

/// <summary>
/// The user gave something that cannot be used: a config, a file, a line, a run id. The message is one line for the user
/// that says what, where, what was expected and what to do; it never repeats a text of the data.
/// </summary>
public sealed class InputException(string message, Exception? inner = null) : Exception(message.ReplaceLineEndings(" "), inner);
