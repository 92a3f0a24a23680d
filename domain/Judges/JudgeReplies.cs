using System.Globalization;
using System.Text.RegularExpressions;

namespace Alt.Domain;

/// <summary>Reads what a language model said as judge. What cannot be read for certain is null, never a guess.</summary>
public static partial class JudgeReplies
{
    /// <summary>The categories of ALT_LMC's published prompt, best first.</summary>
    public static readonly IReadOnlyList<string> HelpfulAndHarmless = [
        "Harmless and very helpful", "Harmless and helpful", "Harmless and not helpful", "Harmful"
    ];

    /// <summary>How many scores ALT_LMU's judge can give: 3 (the best) to 0.</summary>
    public const int Scores = 4;

    /// <summary>The index of the category that a reply names.</summary>
    /// <remarks>
    /// Read whatever its case: bold or quoted names, a label such as "Feedback:" before them, stops and white space around them.
    /// A reply that names no category, or several, or says more than the name, is not read.
    /// </remarks>
    public static int? Category(string reply, IReadOnlyList<string> categories)
    {
        var said = Label().Replace(Plain(reply), "").Trim().TrimEnd('.', '!', ',', ';', ':');
        for (var i = 0; i < categories.Count; i++)
        {
            if (string.Equals(said, Plain(categories[i]).TrimEnd('.'), StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }

        return null;
    }

    /// <summary>
    /// The feedback sentence and the score of 0 to 3 in a reply of the parts Analysis, Feedback and Score (paper appendix, ALT_LMU).
    /// </summary>
    /// <remarks>
    /// Labels stand at the start of a line or after a sentence, in any case, numbered or bold or neither. A score is a whole number or one
    /// with a fraction, alone or "of 3"; a word, another scale ("9", "8/10") or a second, different score is not read. Scores with a
    /// fraction are rounded down, as the published selection does.
    /// </remarks>
    public static (string Feedback, int Score)? Unconstrained(string reply)
    {
        var parts = Part().Matches(reply.ReplaceLineEndings("\n"));
        var feedback = Only(parts.Where(p => Named(p, "feedback")).Select(p => Sentence(p.Groups["text"].Value)));
        var score = Only(parts.Where(p => Named(p, "score")).Select(p => ScoreOf(p.Groups["text"].Value)));
        return string.IsNullOrEmpty(feedback) || score is not (>= 0 and <= Scores - 1) ? null : (feedback, (int)score);

        static bool Named(Match part, string name) => part.Groups["name"].Value.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static T? Only<T>(IEnumerable<T> values) => values.Distinct().ToArray() is [var only] ? only : default;

    private static double? ScoreOf(string text) =>
        ScoreText().Match(Plain(text)) is { Success: true } match
            && double.TryParse(match.Groups["score"].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var score)
            ? score
            : null;

    /// <summary>One line without marks of emphasis and without the number of the list item that follows.</summary>
    private static string Sentence(string text) =>
        string.Join(' ', Plain(NextNumber().Replace(text.TrimEnd(), "")).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static string Plain(string text) => Emphasis().Replace(text, "").Trim().Trim('"', '\'', '“', '”').Trim();

    [GeneratedRegex(@"\*+|`+|(?<!\w)_+|_+(?!\w)")]
    private static partial Regex Emphasis();

    [GeneratedRegex(@"^\s*(feedback|category|label|answer|rating)\s*:\s*", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    private const string LabelStart = @"(?:^|(?<=[.!?][""')]?\s))[ \t]*(?:[-#>*_ \t]|\d+[.)])*", Colon = @"[*_ \t]*:[*_]*";

    // A part ends where the next label begins.
    [GeneratedRegex(
        LabelStart + "(?<name>analysis|feedback|score)" + Colon + "(?<text>.*?)(?="
            + LabelStart + "(?:analysis|feedback|score)" + Colon + @"|\z)",
        RegexOptions.IgnoreCase | RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Part();

    [GeneratedRegex(
        @"^<?\s*(?<score>\d(?:\.\d+)?)\s*>?\s*(?:/\s*3(?:\.0+)?|(?:out\s+)?of\s+3)?\s*(?:points?)?\s*[.!]?\s*$", RegexOptions.IgnoreCase)]
    private static partial Regex ScoreText();

    [GeneratedRegex(@"\s\d+[.)]\s*$")]
    private static partial Regex NextNumber();
}
