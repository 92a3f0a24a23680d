using System.Globalization;
using System.Text;
using Alt.Model.Tokenizers;

namespace Alt.Model.Encoders;

/// <summary>What BERT's tokenizers do to a text before they cut it, character by character as Hugging Face's BertNormalizer.</summary>
/// <param name="CleanText">Control characters go, every white space becomes a space.</param>
/// <param name="ChineseCharacters">Each CJK ideograph becomes a word of its own.</param>
/// <param name="StripAccents">Characters lose what NFD parts from them: é becomes e.</param>
/// <remarks>
/// Categories are those of .NET's Unicode. The tokenizers library knows Unicode 8's, so that some 600 marks and punctuation characters of
/// later versions, none of them in the vocabulary of a published BERT, are other characters there.
/// </remarks>
internal sealed record BertNormalizer(bool CleanText, bool ChineseCharacters, bool StripAccents, bool LowerCase)
{
    // The sixth range begins as the tokenizers library has it; Unicode's block begins at 2B820.
    private static readonly (int First, int Last)[] Ideographs =
        [
            (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2A6DF), (0x2A700, 0x2B81F), (0x2B920, 0x2CEAF),
            (0x2F800, 0x2FA1F)
        ];

    public string Normalize(string text)
    {
        var normal = new StringBuilder(text.Length);
        foreach (var character in text.EnumerateRunes())
        {
            if (!CleanText)
            {
                Append(normal, character);
            }
            else if (!IsDropped(character))
            {
                Append(normal, Rune.IsWhiteSpace(character) ? new Rune(' ') : character);
            }
        }

        return normal.ToString();
    }

    private void Append(StringBuilder normal, Rune character)
    {
        var isWord = ChineseCharacters && Ideographs.Any(range => character.Value >= range.First && character.Value <= range.Last);
        normal.Append(isWord ? " " : "");
        if (!StripAccents)
        {
            normal.Append(Cased(character));
        }
        else
        {
            foreach (var part in CanonicalDecomposition.Of(character))
            {
                normal.Append(Rune.GetUnicodeCategory(part) == UnicodeCategory.NonSpacingMark ? "" : Cased(part));
            }
        }

        normal.Append(isWord ? " " : "");
    }

    // İ is the one character whose lower case is two, which .NET leaves as it is.
    private string Cased(Rune character) =>
        !LowerCase ? character.ToString() : character.Value == 'İ' ? "i\u0307" : Rune.ToLowerInvariant(character).ToString();

    private static bool IsDropped(Rune character) => character.Value is not ('\t' or '\n' or '\r')
        && (character == Rune.ReplacementChar
            || Rune.GetUnicodeCategory(character) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse);
}
