using System.Buffers;
using System.Globalization;
using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>Where added tokens stand in a text: the earliest, of those that start together the longest, then on behind it.</summary>
internal sealed class AddedTokenFinder
{
    private readonly SearchValues<string> _contents;
    private readonly Dictionary<char, (string Content, AddedToken Token)[]> _byStart;

    /// <param name="spell">What a token's content is in the texts that are searched.</param>
    public AddedTokenFinder(IEnumerable<AddedToken> tokens, Func<string, string> spell)
    {
        (string Content, AddedToken Token)[] spelled = [.. tokens.Select(token => (Content: spell(token.Content), Token: token))
            .DistinctBy(token => token.Content)];
        _contents = SearchValues.Create([.. spelled.Select(token => token.Content)], StringComparison.Ordinal);
        _byStart = spelled.GroupBy(token => token.Content[0])
            .ToDictionary(group => group.Key, group => group.OrderByDescending(token => token.Content.Length).ToArray());
    }

    /// <param name="special">Whether special tokens count; where not, their text stays text.</param>
    public List<(int Start, int End, int Id)> Find(ReadOnlySpan<char> text, bool special)
    {
        var found = new List<(int Start, int End, int Id)>();
        var (at, free) = (0, 0);
        while (at < text.Length && text[at..].IndexOfAny(_contents) is >= 0 and var offset)
        {
            var (content, token) = Longest(text[(at + offset)..]);
            var (start, end) = (at + offset, at + offset + content.Length);
            at = end;
            if ((token.Special && !special) || (token.SingleWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..]))))
            {
                continue;
            }

            while (token.LeftStrip && start > free && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            start = token.LeftStrip ? Math.Max(start, free) : start;

            while (token.RightStrip && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            // A token of white space may lie in what the one before it has taken.
            if (start < end)
            {
                found.Add((start, end, token.Id));
            }

            free = end;
        }

        return found;
    }

    private (string Content, AddedToken Token) Longest(ReadOnlySpan<char> text)
    {
        foreach (var token in _byStart[text[0]])
        {
            if (text.StartsWith(token.Content, StringComparison.Ordinal))
            {
                return token;
            }
        }

        throw new InvalidOperationException("No added token starts where one was found.");
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var last, out _) == OperationStatus.Done && IsWord(last);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var first, out _) == OperationStatus.Done && IsWord(first);

    // Unicode's \w: letters, marks, numbers that are digits or letters, connectors and the two joiners.
    private static bool IsWord(Rune character) => character.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(character) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
