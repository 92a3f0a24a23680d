using System.Globalization;
using System.Text;
using Alt.Domain;

namespace Alt.Model.Encoders;

/// <summary>
/// BERT's tokenizer: words, and of each word the longest piece of the vocabulary that it begins with, then of the rest, and so on;
/// a word that cannot be cut so is one unknown token. Immutable and safe to use from several threads.
/// </summary>
public sealed class WordPieceTokenizer
{
    internal const string DefaultUnknown = "[UNK]", DefaultContinuation = "##";
    internal const int DefaultLongestWord = 100;

    private readonly BertNormalizer _normalizer;
    private readonly int _longestWord;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _starts, _continuations;

    /// <param name="vocabulary">Pieces with their ids.</param>
    /// <param name="continuation">What pieces begin with that do not begin a word.</param>
    /// <param name="longestWord">A word of more characters is unknown.</param>
    /// <param name="source">Where the vocabulary is from, for errors.</param>
    /// <exception cref="InputException">The vocabulary lacks [CLS], [SEP] or the unknown token.</exception>
    internal WordPieceTokenizer(
        IReadOnlyDictionary<string, int> vocabulary, BertNormalizer normalizer, string unknown, string continuation, int longestWord,
        string source)
    {
        (_normalizer, _longestWord) = (normalizer, longestWord);
        _starts = new Dictionary<string, int>(vocabulary, StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        _continuations = vocabulary.Where(piece => piece.Key.StartsWith(continuation, StringComparison.Ordinal))
            .ToDictionary(piece => piece.Key[continuation.Length..], piece => piece.Value, StringComparer.Ordinal)
            .GetAlternateLookup<ReadOnlySpan<char>>();
        (Start, End, Unknown) = (IdOf("[CLS]"), IdOf("[SEP]"), IdOf(unknown));
        VocabularySize = vocabulary.Values.Max() + 1;

        int IdOf(string token) => vocabulary.TryGetValue(token, out var id)
            ? id
            : throw new InputException($"{source}: the vocabulary has no {token}; expected the vocabulary of a BERT model");
    }

    /// <summary>The largest id and 1.</summary>
    public int VocabularySize { get; }

    /// <summary>[CLS], before every sequence.</summary>
    public int Start { get; }

    /// <summary>[SEP], after every sequence.</summary>
    public int End { get; }

    public int Unknown { get; }

    /// <summary>Reads <c>tokenizer.json</c>, or <c>vocab.txt</c> with <c>tokenizer_config.json</c> where there is none.</summary>
    /// <exception cref="InputException">A file is missing or malformed, or describes another kind of tokenizer.</exception>
    public static WordPieceTokenizer Load(string folder) => WordPieceFiles.Load(folder);

    /// <summary>
    /// Token ids of a text, without [CLS] and [SEP]. What reads like a special token is ordinary text, since texts come from outside.
    /// </summary>
    public int[] Encode(string text)
    {
        var ids = new List<int>();
        foreach (var word in Words(_normalizer.Normalize(text)))
        {
            EncodeWord(word, ids);
        }

        return [.. ids];
    }

    // As BertPreTokenizer: white space parts words, and every punctuation mark is one.
    private static IEnumerable<string> Words(string text)
    {
        var start = 0;
        for (var at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var character, out var length);
            var isMark = IsPunctuation(character);
            if (isMark || Rune.IsWhiteSpace(character))
            {
                if (at > start)
                {
                    yield return text[start..at];
                }

                if (isMark)
                {
                    yield return text.Substring(at, length);
                }

                start = at + length;
            }

            at += length;
        }

        if (start < text.Length)
        {
            yield return text[start..];
        }
    }

    // ASCII's symbols count too, such as $ and ^.
    private static bool IsPunctuation(Rune character) => character.IsAscii
        ? char.IsPunctuation((char)character.Value) || char.IsSymbol((char)character.Value)
        : Rune.GetUnicodeCategory(character) is UnicodeCategory.ConnectorPunctuation
            or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
                or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation
                    or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;

    private void EncodeWord(string word, List<int> ids)
    {
        var before = ids.Count;
        if (word.EnumerateRunes().Count() > _longestWord || !TryCut(word, ids))
        {
            ids.RemoveRange(before, ids.Count - before);
            ids.Add(Unknown);
        }
    }

    private bool TryCut(ReadOnlySpan<char> rest, List<int> ids)
    {
        for (var pieces = _starts; rest.Length > 0; pieces = _continuations)
        {
            var (length, id) = (rest.Length, 0);
            while (length > 0 && !pieces.TryGetValue(rest[..length], out id))
            {
                length--;
            }

            if (length == 0)
            {
                return false;
            }

            ids.Add(id);
            rest = rest[length..];
        }

        return true;
    }
}
