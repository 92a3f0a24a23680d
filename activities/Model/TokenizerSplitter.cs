using System.Globalization;
using System.Text;

namespace Alt.Activities.Model;

/// <summary>
/// GPT-2's split of a text into words, <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>,
/// by hand: .NET's regular expressions see UTF-16 units, so that letters beyond U+FFFF would count as punctuation.
/// </summary>
internal static class TokenizerSplitter
{
    private enum Kind { Letter, Number, Space, Other }

    /// <summary>The length in UTF-16 units of the word that starts the text, which must not be empty.</summary>
    public static int NextWord(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        // One plain space belongs to the word that follows it.
        var start = text[0] == ' ' && text.Length > 1 && KindAt(text, 1).Kind != Kind.Space ? 1 : 0;
        var kind = KindAt(text, start).Kind;
        var end = start;
        var lastLength = 0;
        while (end < text.Length)
        {
            var (next, length) = KindAt(text, end);
            if (next != kind)
            {
                break;
            }

            lastLength = length;
            end += length;
        }

        // A run of white space leaves its last character to the word that follows, unless it has only that one.
        return kind == Kind.Space && end < text.Length && end > lastLength ? end - lastLength : end;
    }

    private static int Contraction(ReadOnlySpan<char> text) =>
        text.Length < 2 || text[0] != '\'' ? 0
        : text[1] is 's' or 't' or 'm' or 'd' ? 2
        : text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3
        : 0;

    private static (Kind Kind, int Length) KindAt(ReadOnlySpan<char> text, int position)
    {
        Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
        var kind = Rune.IsWhiteSpace(rune) ? Kind.Space : Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Kind.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Kind.Number,
            _ => Kind.Other,
        };
        return (kind, length);
    }
}
