namespace Alt.Domain;

/// <summary>
/// The user gave something that cannot be used: a config, a file, a line, a run id. The message is one line for the user
/// that says what, where, what was expected and what to do; it never repeats a text of the data.
/// </summary>
public sealed class InputException(string message, Exception? inner = null) : Exception(OneLine(message), inner)
{
    private const int LongestQuote = 100;

    /// <summary>A name that was found in a file, as a message shows it: short, whatever the file says.</summary>
    public static string Quote(string found) =>
        found.Length <= LongestQuote ? found : $"{found[..LongestQuote]}… ({found.Length} characters)";

    // Parsers' messages, and names in damaged files, may hold anything.
    private static string OneLine(string message) =>
        string.Concat(message.ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? ' ' : c));
}
