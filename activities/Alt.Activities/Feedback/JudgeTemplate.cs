using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>
/// A judge's question: messages that begin with <c>=== system</c> or <c>=== user</c>, with <c>{prompt}</c> and <c>{response}</c> in them.
/// What is filled in is never searched for placeholders again.
/// </summary>
public sealed partial class JudgeTemplate
{
    private readonly (string Role, string Text)[] _messages;

    private JudgeTemplate(string text, string source)
    {
        var parts = Heading().Split(text.ReplaceLineEndings("\n"));
        _messages = [.. parts.Skip(1).Chunk(2).Select(p => (p[0], p[1].Trim('\n')))];
        if (parts[0].Trim().Length > 0 || _messages.Length == 0 || !_messages.Any(m =>
            m.Text.Contains("{prompt}", StringComparison.Ordinal) || m.Text.Contains("{response}", StringComparison.Ordinal)))
        {
            throw new InputException(
                $"{source}: no judge's question; expected messages that begin with a line '=== system' or '=== user', and {{prompt}} "
                + $"or {{response}} in them");
        }

        Hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    /// <summary>SHA-256 of the whole question.</summary>
    public string Hash { get; }

    /// <summary>UTF-8 bytes of all messages, not filled in.</summary>
    public int Length => _messages.Sum(m => Encoding.UTF8.GetByteCount(m.Text));

    /// <summary>A config's own question, or the shipped one of that name.</summary>
    /// <exception cref="InputException">It has no messages.</exception>
    public static JudgeTemplate Load(string? text, string shipped) =>
        text is null ? new JudgeTemplate(Shipped(shipped), shipped) : new JudgeTemplate(text, "feedback.judge.template");

    /// <summary>
    /// The messages, filled in. Of the prompt and the response, outer white space does not count; of the prompt neither do the marks that
    /// policies are trained with and the question has its own: <c>Human:</c> before it, <c>Assistant:</c> or <c>TL;DR:</c> after it.
    /// </summary>
    public IReadOnlyList<(string Role, string Text)> Fill(string prompt, string response)
    {
        var (asked, said) = (Marks().Replace(prompt.Trim(), "").Trim(), response.Trim());
        return [.. _messages.Select(m => (m.Role, Placeholder().Replace(m.Text, p => p.Value == "{prompt}" ? asked : said)))];
    }

    private static string Shipped(string name)
    {
        using var stream = typeof(JudgeTemplate).Assembly.GetManifestResourceStream($"{name}.txt")
            ?? throw new InvalidOperationException($"The template {name} is not shipped.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^=== (?<role>system|user)\n", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"^Human:|(Assistant|TL;DR):$")]
    private static partial Regex Marks();

    [GeneratedRegex(@"\{prompt\}|\{response\}")]
    private static partial Regex Placeholder();
}
