using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Alt.Activities.Model;

/// <summary>
/// GPT-2's byte-level byte-pair encoding: any text becomes token ids, and those ids the same text again.
/// Immutable and safe to use from several threads. Files in <c>TokenizerFiles</c>, training in <c>TokenizerTrainer</c>.
/// </summary>
public sealed class Tokenizer
{
    // Words repeat, so that most are looked up; the bound keeps a text of endless new words from filling the memory.
    private const int RememberedWords = 1 << 16;

    private readonly string[] _tokens;
    private readonly byte[][] _bytes;
    private readonly int[] _idOfByte = new int[256];
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<long, (int Rank, int Id)> _merges;
    private readonly SortedDictionary<int, string> _special;
    private readonly ConcurrentDictionary<string, int[]> _words = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _wordsBySpan;
    private readonly Lazy<string> _hash;
    private int _remembered;

    /// <param name="tokens">Every token by id: byte strings in GPT-2's alphabet, special tokens as they read.</param>
    /// <param name="merges">Pairs of ids that become one, the most urgent first, each with what it becomes.</param>
    /// <param name="special">Ids of the special tokens.</param>
    internal Tokenizer(string[] tokens, IReadOnlyList<(int Left, int Right, int Id)> merges, IEnumerable<int> special)
    {
        _tokens = tokens;
        _special = new SortedDictionary<int, string>(special.ToDictionary(id => id, id => tokens[id]));
        _ids = tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
        _bytes = [.. tokens.Select((token, id) => _special.ContainsKey(id) ? Encoding.UTF8.GetBytes(token) : TokenizerBytes.FromText(token)!)];
        foreach (var b in TokenizerBytes.Order)
        {
            _idOfByte[b] = _ids[TokenizerBytes.ToText([b])];
        }

        Merges = merges;
        _merges = new Dictionary<long, (int, int)>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            _merges[Pair(merges[rank].Left, merges[rank].Right)] = (rank, merges[rank].Id);
        }

        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        _hash = new Lazy<string>(() => Convert.ToHexStringLower(SHA256.HashData(TokenizerFiles.Json(this))));
    }

    /// <summary>How many tokens there are, special ones included; ids are 0 to this minus 1.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Special tokens by id, in ascending order.</summary>
    public IReadOnlyDictionary<int, string> SpecialTokens => _special;

    /// <summary>SHA-256, in lower-case hexadecimal, of the <c>tokenizer.json</c> that <see cref="Save"/> writes.</summary>
    public string Hash => _hash.Value;

    internal IReadOnlyList<string> Tokens => _tokens;

    internal IReadOnlyList<(int Left, int Right, int Id)> Merges { get; }

    /// <summary>Reads <c>tokenizer.json</c>, or <c>vocab.json</c> and <c>merges.txt</c> where there is none.</summary>
    /// <remarks>
    /// Of the latter two, a token that no merge makes is special, such as GPT-2's end of text; so is one in <c>added_tokens.json</c>.
    /// </remarks>
    /// <exception cref="Alt.Domain.InputException">A file is missing or malformed, or describes another kind of tokenizer.</exception>
    public static Tokenizer Load(string folder) => TokenizerFiles.Load(folder);

    /// <summary>
    /// Learns merges of the most frequent neighbours, until the vocabulary is full or no pair occurs twice.
    /// Equal counts are decided for the pair with the lower left id, then the lower right id, so the result depends on nothing but the input.
    /// </summary>
    /// <param name="vocabularySize">The 256 bytes and the special tokens included. Texts with too few different pairs give fewer tokens.</param>
    /// <param name="specialTokens">They get the last ids, in this order.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no room for the bytes and the special tokens.</exception>
    public static Tokenizer Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens) =>
        TokenizerTrainer.Train(texts, vocabularySize, specialTokens);

    /// <summary>Writes <c>tokenizer.json</c>, as Hugging Face's libraries read it, <c>vocab.json</c> and <c>merges.txt</c>.</summary>
    public void Save(string folder) => TokenizerFiles.Save(this, folder);

    /// <summary>The id of a special token by its text, or of another token in GPT-2's spelling (a space is <c>Ġ</c>); null if there is none.</summary>
    public int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    /// <summary>The same tokenizer with these special tokens after its own; one that it has already keeps its id.</summary>
    /// <exception cref="ArgumentException">A token is empty, or an ordinary token reads the same.</exception>
    public Tokenizer AddSpecialTokens(params IEnumerable<string> tokens)
    {
        string[] added = [.. tokens.Distinct(StringComparer.Ordinal).Where(t => !_special.ContainsValue(t))];
        foreach (var token in added)
        {
            if (token.Length == 0 || _ids.ContainsKey(token))
            {
                throw new ArgumentException($"'{token}' cannot be a special token: it is empty or an ordinary token of the vocabulary.", nameof(tokens));
            }
        }

        return new Tokenizer([.. _tokens, .. added], Merges, [.. _special.Keys, .. Enumerable.Range(_tokens.Length, added.Length)]);
    }

    /// <summary>Token ids of a text. Half a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.</summary>
    /// <param name="specialTokens">Whether a special token's text becomes that token rather than ordinary text. Leave it false for text from outside.</param>
    public int[] Encode(string text, bool specialTokens = false)
    {
        var ids = new List<int>(text.Length / 3 + 1);
        var rest = text.AsSpan();
        while (specialTokens && FirstSpecial(rest) is (var start, var id))
        {
            EncodeOrdinary(rest[..start], ids);
            ids.Add(id);
            rest = rest[(start + _special[id].Length)..];
        }

        EncodeOrdinary(rest, ids);
        return [.. ids];
    }

    /// <summary>The text of token ids. Bytes that are not UTF-8, as where a generation ends inside a character, become U+FFFD.</summary>
    /// <param name="skipSpecialTokens">Whether special tokens leave no text.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is not in the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (var id in ids)
        {
            if ((uint)id >= (uint)_bytes.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(ids), id, $"Token ids are 0 to {_bytes.Length - 1}.");
            }

            if (!skipSpecialTokens || !_special.ContainsKey(id))
            {
                bytes.AddRange(_bytes[id]);
            }
        }

        return Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
    }

    internal static long Pair(int left, int right) => (long)left << 32 | (uint)right;

    private void EncodeOrdinary(ReadOnlySpan<char> text, List<int> ids)
    {
        while (!text.IsEmpty)
        {
            var length = TokenizerSplitter.NextWord(text);
            var word = text[..length];
            if (!_wordsBySpan.TryGetValue(word, out var known))
            {
                known = EncodeWord(word);
                if (_remembered < RememberedWords && _wordsBySpan.TryAdd(word, known))
                {
                    Interlocked.Increment(ref _remembered);
                }
            }

            ids.AddRange(known);
            text = text[length..];
        }
    }

    // Applies the most urgent merge first, the leftmost of equals, over a linked list of symbols: n log n also for a word of a million letters.
    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        var n = Encoding.UTF8.GetBytes(word, bytes);
        var symbol = new int[n];
        var previous = new int[n];
        var next = new int[n];
        for (var i = 0; i < n; i++)
        {
            (symbol[i], previous[i], next[i]) = (_idOfByte[bytes[i]], i - 1, i + 1);
        }

        var queue = new PriorityQueue<(int Position, int Left, int Right), (int Rank, int Position)>();
        for (var i = 0; i + 1 < n; i++)
        {
            Consider(i);
        }

        while (queue.TryDequeue(out var merge, out _))
        {
            var (at, right) = (merge.Position, next[merge.Position]);
            if (symbol[at] != merge.Left || right >= n || symbol[right] != merge.Right)
            {
                continue; // One of the two has been merged since.
            }

            (symbol[at], symbol[right]) = (_merges[Pair(merge.Left, merge.Right)].Id, -1);
            next[at] = next[right];
            if (next[at] < n)
            {
                previous[next[at]] = at;
                Consider(at);
            }

            if (previous[at] >= 0)
            {
                Consider(previous[at]);
            }
        }

        return [.. symbol.Where(s => s >= 0)];

        void Consider(int left)
        {
            var (a, b) = (symbol[left], symbol[next[left]]);
            if (_merges.TryGetValue(Pair(a, b), out var merge))
            {
                queue.Enqueue((left, a, b), (merge.Rank, left));
            }
        }
    }

    // The earliest; of those that start together the longest.
    private (int Start, int Id)? FirstSpecial(ReadOnlySpan<char> text)
    {
        (int Start, int Id)? first = null;
        foreach (var (id, token) in _special)
        {
            var start = text.IndexOf(token, StringComparison.Ordinal);
            if (start >= 0 && (first is not (var s, var f) || start < s || (start == s && token.Length > _special[f].Length)))
            {
                first = (start, id);
            }
        }

        return first;
    }
}
