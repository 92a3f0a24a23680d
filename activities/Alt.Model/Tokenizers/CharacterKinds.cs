using System.Globalization;
using System.Text;

namespace Alt.Model.Tokenizers;

internal enum CharacterKind : byte { Letter, Number, Space, Other }

/// <summary>
/// Unicode's \p{L}, \p{N} and \s, by code point: .NET's regular expressions see UTF-16 units, so that letters beyond U+FFFF would count as
/// punctuation.
/// </summary>
internal static class CharacterKinds
{
    private static readonly CharacterKind[] Plane = [.. Enumerable.Range(0, 1 << 16)
        .Select(c => Rune.TryCreate(c, out var rune) ? Of(rune) : CharacterKind.Other)];

    /// <summary>The kind of the character at a position and its length in UTF-16 units; half a surrogate pair is of kind Other.</summary>
    public static (CharacterKind Kind, int Length) At(ReadOnlySpan<char> text, int position)
    {
        if (!char.IsSurrogate(text[position]))
        {
            return (Plane[text[position]], 1);
        }

        Rune.DecodeFromUtf16(text[position..], out var rune, out var length);
        return (Of(rune), length);
    }

    private static CharacterKind Of(Rune rune) => Rune.IsWhiteSpace(rune) ? CharacterKind.Space : Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
            or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => CharacterKind.Letter,
        UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CharacterKind.Number,
        _ => CharacterKind.Other,
    };
}
