using System.Runtime.InteropServices;
using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>Learns a byte-pair vocabulary: counts words once, then keeps the counts of pairs up to date merge by merge.</summary>
internal sealed class TokenizerTrainer
{
    private readonly List<Word> _words;
    private readonly Dictionary<long, Occurrences> _pairs = [];

    // Highest count first, then the lower pair. An entry whose count is no longer the pair's is put back with the right one.
    private readonly PriorityQueue<long, (long NegativeCount, long Pair)> _queue = new();

    private TokenizerTrainer(List<Word> words)
    {
        _words = words;
        for (var w = 0; w < words.Count; w++)
        {
            var symbols = words[w].Symbols;
            for (var i = 0; i + 1 < symbols.Count; i++)
            {
                Count(BytePairMerges.Key(symbols[i], symbols[i + 1]), w, words[w].Count);
            }
        }

        foreach (var (pair, occurrences) in _pairs)
        {
            _queue.Enqueue(pair, (-occurrences.Count, pair));
        }
    }

    public static Tokenizer Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 256 + specialTokens.Count);
        string[] bytes = [.. ByteAlphabet.Order.Select(b => ByteAlphabet.ToText([b]))];
        var tokens = new List<string>(bytes);
        var merges = new TokenizerTrainer(CountWords(texts)).Learn(tokens, vocabularySize - specialTokens.Count);
        return new Tokenizer([.. tokens], new BytePairMerges(merges), [], TokenizerStages.Gpt2).AddSpecialTokens(specialTokens);
    }

    private static List<Word> CountWords(IEnumerable<string> texts)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        var bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var text in texts)
        {
            var rest = text.AsSpan();
            while (!rest.IsEmpty)
            {
                var length = Gpt2Words.Next(rest);
                CollectionsMarshal.GetValueRefOrAddDefault(bySpan, rest[..length], out _)++;
                rest = rest[length..];
            }
        }

        var idOfByte = new int[256];
        for (var id = 0; id < 256; id++)
        {
            idOfByte[ByteAlphabet.Order[id]] = id;
        }

        return [.. counts.Select(w => new Word([.. Encoding.UTF8.GetBytes(w.Key).Select(b => idOfByte[b])], w.Value))];
    }

    private List<(int Left, int Right, int Id)> Learn(List<string> tokens, int size)
    {
        var merges = new List<(int Left, int Right, int Id)>();
        var known = new HashSet<string>(tokens, StringComparer.Ordinal);
        while (tokens.Count < size && _queue.TryDequeue(out var pair, out var priority))
        {
            var occurrences = _pairs[pair];
            if (occurrences.Count != -priority.NegativeCount)
            {
                _queue.Enqueue(pair, (-occurrences.Count, pair));
                continue;
            }

            if (occurrences.Count < 2)
            {
                break;
            }

            var (left, right) = ((int)(pair >> 32), (int)pair);
            var token = tokens[left] + tokens[right];
            if (!known.Add(token))
            {
                // Another pair has made the same bytes; a second id for them would have no spelling of its own.
                continue;
            }

            Merge(left, right, tokens.Count, occurrences);
            merges.Add((left, right, tokens.Count));
            tokens.Add(token);
        }

        return merges;
    }

    private void Merge(int left, int right, int merged, Occurrences occurrences)
    {
        var changed = new HashSet<long>();
        foreach (var w in occurrences.Words)
        {
            var (symbols, count) = (_words[w].Symbols, _words[w].Count);
            var written = 0;
            for (var i = 0; i < symbols.Count; i++)
            {
                if (i + 1 == symbols.Count || symbols[i] != left || symbols[i + 1] != right)
                {
                    symbols[written++] = symbols[i];
                    continue;
                }

                if (written > 0)
                {
                    Replace(BytePairMerges.Key(symbols[written - 1], left), BytePairMerges.Key(symbols[written - 1], merged), w, count);
                }

                if (i + 2 < symbols.Count)
                {
                    Replace(BytePairMerges.Key(right, symbols[i + 2]), BytePairMerges.Key(merged, symbols[i + 2]), w, count);
                }

                symbols[written++] = merged;
                i++;
            }

            symbols.RemoveRange(written, symbols.Count - written);
        }

        occurrences.Count = 0;
        foreach (var pair in changed)
        {
            _queue.Enqueue(pair, (-_pairs[pair].Count, pair));
        }

        void Replace(long old, long @new, int word, int count)
        {
            if (_pairs.TryGetValue(old, out var lost))
            {
                lost.Count -= count;
            }

            Count(@new, word, count);
            changed.Add(@new);
        }
    }

    private void Count(long pair, int word, int count)
    {
        ref var occurrences = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
        occurrences ??= new Occurrences();
        occurrences.Count += count;
        occurrences.Words.Add(word);
    }

    private sealed record Word(List<int> Symbols, int Count);

    private sealed class Occurrences
    {
        public long Count { get; set; }

        /// <summary>Words that hold the pair, or held it once.</summary>
        public HashSet<int> Words { get; } = [];
    }
}
