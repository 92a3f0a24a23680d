using System.Runtime.InteropServices;

namespace Alt.Activities.Feedback;

/// <summary>
/// The n-grams of a text as bucket numbers. Words are what white space separates, in lower case, without punctuation at their ends;
/// character n-grams stay inside a word with its punctuation and a space on both sides.
/// </summary>
/// <remarks>
/// Bucket of an n-gram: FNV-1a with 64 bits over its UTF-16 units, then MurmurHash3's 64-bit finalizer, then the top <see cref="Bits"/>
/// bits.
/// Words take the buckets below <see cref="Words"/>, characters those from there on, so that each kind can be weighed by itself.
/// A saved classifier depends on all of this.
/// </remarks>
internal static class TextFeatures
{
    private const int Bits = 20;
    private const int LongestCharacterGram = 5;
    private const ulong Basis = 14695981039346656037, Prime = 1099511628211;

    /// <summary>The first bucket of the character n-grams.</summary>
    public const int Words = 1 << Bits;

    public const int Buckets = 2 << Bits;

    /// <summary>How often each n-gram occurs, by bucket in ascending order.</summary>
    public static List<(int Bucket, int Count)> Count(string text, bool characters)
    {
        var buckets = Extract(text, characters);
        buckets.Sort();
        var counts = new List<(int Bucket, int Count)>(buckets.Count);
        foreach (var bucket in buckets)
        {
            if (counts.Count > 0 && counts[^1].Bucket == bucket)
            {
                counts[^1] = (bucket, counts[^1].Count + 1);
            }
            else
            {
                counts.Add((bucket, 1));
            }
        }

        return counts;
    }

    /// <summary>The features of counted n-grams: (1 + ln count) * idf, the words scaled to length 1 and the characters too.</summary>
    /// <param name="idf">By bucket; an n-gram whose bucket has 0 is left out.</param>
    public static List<(int Bucket, float Value)> Weigh(List<(int Bucket, int Count)> counts, float[] idf)
    {
        var features = new List<(int Bucket, float Value)>(counts.Count);
        double words = 0, characters = 0;
        foreach (var (bucket, count) in counts)
        {
            if (idf[bucket] > 0)
            {
                var value = (float)((count == 1 ? 1 : 1 + Math.Log(count)) * idf[bucket]);
                features.Add((bucket, value));
                (words, characters) = bucket < Words ? (words + value * value, characters) : (words, characters + value * value);
            }
        }

        var (wordScale, characterScale) = ((float)(1 / Math.Sqrt(words)), (float)(1 / Math.Sqrt(characters)));
        foreach (ref var feature in CollectionsMarshal.AsSpan(features))
        {
            feature.Value *= feature.Bucket < Words ? wordScale : characterScale;
        }

        return features;
    }

    private static List<int> Extract(string text, bool characters)
    {
        var buckets = new List<int>(16 + text.Length * (characters ? 4 : 1));
        var lower = text.ToLowerInvariant().AsSpan();
        var previous = ReadOnlySpan<char>.Empty;
        foreach (var range in lower.SplitAny())
        {
            var piece = lower[range];
            if (piece.IsEmpty)
            {
                continue;
            }

            if (characters)
            {
                AddCharacters(piece, buckets);
            }

            var word = Trim(piece);
            if (word.IsEmpty)
            {
                continue;
            }

            buckets.Add(Bucket(Hash(Basis, word)));
            if (!previous.IsEmpty)
            {
                buckets.Add(Bucket(Hash(Step(Hash(Basis, previous), ' '), word)));
            }

            previous = word;
        }

        return buckets;
    }

    private static void AddCharacters(ReadOnlySpan<char> piece, List<int> buckets)
    {
        for (var start = -1; start < piece.Length; start++)
        {
            var hash = Basis;
            for (var at = start; at <= piece.Length && at < start + LongestCharacterGram; at++)
            {
                hash = Step(hash, at < 0 || at == piece.Length ? ' ' : piece[at]);
                if (at > start)
                {
                    buckets.Add(Words + Bucket(hash));
                }
            }
        }
    }

    private static ReadOnlySpan<char> Trim(ReadOnlySpan<char> piece)
    {
        while (!piece.IsEmpty && !char.IsLetterOrDigit(piece[0]))
        {
            piece = piece[1..];
        }

        while (!piece.IsEmpty && !char.IsLetterOrDigit(piece[^1]))
        {
            piece = piece[..^1];
        }

        return piece;
    }

    private static ulong Hash(ulong hash, ReadOnlySpan<char> text)
    {
        foreach (var unit in text)
        {
            hash = Step(hash, unit);
        }

        return hash;
    }

    private static ulong Step(ulong hash, char unit) => (hash ^ unit) * Prime;

    private static int Bucket(ulong hash)
    {
        hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCD;
        hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53;
        return (int)((hash ^ hash >> 33) >> 64 - Bits);
    }
}
