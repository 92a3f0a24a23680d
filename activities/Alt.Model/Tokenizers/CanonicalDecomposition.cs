using System.Globalization;
using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>
/// What characters are made of (Unicode's NFD), from a table of its own: .NET's normalization does nothing where globalization is
/// invariant, and elsewhere follows the ICU that the machine has.
/// </summary>
/// <remarks>
/// Marks stay in the order in which they come. NFD would sort them, which shows in none of the texts that <see cref="BertNormalizer"/>
/// takes them out of.
/// </remarks>
internal static class CanonicalDecomposition
{
    private const int FirstSyllable = 0xAC00, Syllables = 11_172, FirstLead = 0x1100, FirstVowel = 0x1161, BeforeTrail = 0x11A7,
        Vowels = 21, Trails = 28;

    private static readonly Dictionary<Rune, Rune[]> Table = Read();

    /// <summary>The character itself where it has no parts.</summary>
    public static Rune[] Of(Rune character) =>
        character.IsAscii ? [character]
        : Table.TryGetValue(character, out var parts) ? parts
        : character.Value - FirstSyllable is >= 0 and < Syllables and var syllable ? Hangul(syllable)
        : [character];

    private static Rune[] Hangul(int syllable)
    {
        Rune lead = new(FirstLead + syllable / (Vowels * Trails)), vowel = new(FirstVowel + syllable / Trails % Vowels);
        return syllable % Trails is > 0 and var trail ? [lead, vowel, new(BeforeTrail + trail)] : [lead, vowel];
    }

    private static Dictionary<Rune, Rune[]> Read()
    {
        using var reader = new StreamReader(typeof(CanonicalDecomposition).Assembly.GetManifestResourceStream("decompositions.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#')
            .Select(line =>
                line.Split(' ').Select(hex => new Rune(int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture))).ToArray())
            .ToDictionary(runes => runes[0], runes => runes[1..]);
    }
}
