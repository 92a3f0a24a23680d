using System.Globalization;
using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>Unicode's NFC, from tables of its own as <see cref="CanonicalDecomposition"/>, and for the same reason.</summary>
internal static class CanonicalComposition
{
    private const char FirstChanged = '\u0300';
    private const int FirstSyllable = 0xAC00, Syllables = 11_172, FirstLead = 0x1100, Leads = 19, FirstVowel = 0x1161, Vowels = 21,
        BeforeTrail = 0x11A7, Trails = 28;

    private static readonly Dictionary<(Rune, Rune), Rune> Compositions = Rows("compositions.txt")
        .ToDictionary(row => (Hex(row[0]), Hex(row[1])), row => Hex(row[2]));

    private static readonly Dictionary<Rune, int> Classes = Rows("combining.txt")
        .SelectMany(row => Enumerable.Range(Hex(row[0]).Value, Hex(row[1]).Value - Hex(row[0]).Value + 1).Select(c =>
            (new Rune(c), int.Parse(row[2], CultureInfo.InvariantCulture))))
        .ToDictionary(c => c.Item1, c => c.Item2);

    public static string Normalize(string text) =>
        text.AsSpan().IndexOfAnyInRange(FirstChanged, char.MaxValue) < 0 ? text : Compose(Sorted(text));

    private static List<(Rune Character, int Class)> Sorted(string text)
    {
        var parts = new List<(Rune Character, int Class)>(text.Length);
        var marks = 0;
        foreach (var part in text.EnumerateRunes().SelectMany(CanonicalDecomposition.Of))
        {
            var order = Classes.GetValueOrDefault(part);
            if (order == 0)
            {
                SortLast(marks);
                marks = 0;
            }
            else
            {
                marks++;
            }

            parts.Add((part, order));
        }

        SortLast(marks);
        return parts;

        // Marks of equal class keep their order.
        void SortLast(int count)
        {
            if (count > 1)
            {
                var sorted = parts[^count..].OrderBy(part => part.Class).ToList();
                parts.RemoveRange(parts.Count - count, count);
                parts.AddRange(sorted);
            }
        }
    }

    private static string Compose(List<(Rune Character, int Class)> parts)
    {
        var composed = new List<Rune>(parts.Count);
        var (starter, last) = (-1, -1);
        foreach (var (character, order) in parts)
        {
            // A mark reaches its starter only past marks of lower classes, a starter only where nothing stands between.
            if (starter >= 0 && (last < order || last < 0) && Pair(composed[starter], character) is { } whole)
            {
                composed[starter] = whole;
                continue;
            }

            composed.Add(character);
            (starter, last) = order == 0 ? (composed.Count - 1, -1) : (starter, order);
        }

        var text = new StringBuilder(composed.Count);
        foreach (var character in composed)
        {
            text.Append(character.ToString());
        }

        return text.ToString();
    }

    private static Rune? Pair(Rune first, Rune second)
    {
        if (first.Value - FirstLead is >= 0 and < Leads and var lead && second.Value - FirstVowel is >= 0 and < Vowels and var vowel)
        {
            return new Rune(FirstSyllable + (lead * Vowels + vowel) * Trails);
        }

        return first.Value - FirstSyllable is >= 0 and < Syllables and var syllable
            && syllable % Trails == 0 && second.Value - BeforeTrail is > 0 and < Trails and var trail
            ? new Rune(first.Value + trail)
            : Compositions.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static Rune Hex(string hex) => new(int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));

    private static IEnumerable<string[]> Rows(string name)
    {
        using var reader = new StreamReader(typeof(CanonicalComposition).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => line[0] != '#').Select(line => line.Split(' '));
    }
}
