using Alt.Domain;
using Alt.Model.Tokenizers;

namespace Alt.Model.Encoders;

/// <summary>
/// Makes token sequences of texts and pairs of texts, with the special tokens that the model was trained with around them.
/// </summary>
internal sealed class SequenceTokenizer
{
    private readonly Func<string, int[]> _encode;
    private readonly int[] _before, _between, _after;

    private SequenceTokenizer(Func<string, int[]> encode, int vocabularySize, int[] before, int[] between, int[] after)
    {
        (_encode, VocabularySize) = (encode, vocabularySize);
        (_before, _between, _after) = (before, between, after);
    }

    public int VocabularySize { get; }

    /// <summary><c>[CLS] first [SEP] second [SEP]</c> for BERT, <c>&lt;s> first &lt;/s>&lt;/s> second &lt;/s></c> for RoBERTa.</summary>
    /// <exception cref="InputException">A file is missing or malformed, or the tokenizer is not of the model's kind.</exception>
    public static SequenceTokenizer Load(string folder, EncoderConfig config)
    {
        if (config.Family == EncoderConfig.Bert)
        {
            var words = WordPieceTokenizer.Load(folder);
            return new(words.Encode, words.VocabularySize, [words.Start], [words.End], [words.End]);
        }

        var bytes = Tokenizer.Load(folder);
        var (start, end) = (IdOf("<s>"), IdOf("</s>"));
        return new(text => bytes.Encode(text), bytes.VocabularySize, [start], [end, end], [end]);

        int IdOf(string token) =>
            bytes.IdOf(token) ?? throw new InputException($"{folder}: the tokenizer has no {token}; expected the one of a RoBERTa model");
    }

    /// <summary>The text alone.</summary>
    public static SequenceTokenizer Gpt2(Tokenizer tokenizer) => new(text => tokenizer.Encode(text), tokenizer.VocabularySize, [], [], []);

    /// <param name="longest">Most tokens, special ones included.</param>
    /// <param name="keepEnd">Whether a text that is too long keeps its end rather than its start.</param>
    public TokenSequence Encode(string text, int longest, bool keepEnd = false)
    {
        var ids = _encode(text);
        var room = Math.Min(ids.Length, Room(longest, _before.Length + _after.Length));
        int[] all = [.. _before, .. keepEnd ? ids[^room..] : ids[..room], .. _after];
        return new TokenSequence(all, all.Length);
    }

    /// <summary>
    /// Two texts as one sequence. If too long, tokens are cut from the end of the longer one until both are equally long (transformers'
    /// longest_first).
    /// </summary>
    /// <param name="longest">Most tokens, special ones included.</param>
    public TokenSequence EncodePair(string first, string second, int longest)
    {
        var (a, b) = (_encode(first), _encode(second));
        var (lengthA, lengthB) = Fit(a.Length, b.Length, Room(longest, _before.Length + _between.Length + _after.Length));
        return new TokenSequence(
            [.. _before, .. a[..lengthA], .. _between, .. b[..lengthB], .. _after], _before.Length + lengthA + _between.Length);
    }

    private static int Room(int longest, int special) => Math.Max(0, longest - special);

    private static (int A, int B) Fit(int a, int b, int room)
    {
        if (a + b <= room)
        {
            return (a, b);
        }

        // The odd token is the longer one's.
        var (less, more) = (room / 2, room - room / 2);
        return a <= b
            ? a <= less ? (a, room - a) : (less, more)
            : b <= less ? (room - b, b) : (more, less);
    }
}
