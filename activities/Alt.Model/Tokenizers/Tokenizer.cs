using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>
/// Byte-pair encoding over bytes, as GPT-2, GPT-NeoX, Llama 3 and Qwen2 have it, or over characters, as Llama 2: any text becomes token
/// ids, and those ids the same text again, but for what the tokenizer's own normalization changes. Immutable and safe to use from several
/// threads.
/// </summary>
public sealed class Tokenizer
{
    // Words repeat, so that most are looked up; the bounds keep a text of endless new words, or of endless long ones, from filling the
    // memory.
    private const int RememberedWords = 1 << 16, RememberedLength = 256;

    private readonly string[] _tokens;
    private readonly byte[][] _bytes;
    private readonly int[] _idOfByte = new int[256];
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _vocabulary;
    private readonly BytePairMerges _merges;
    private readonly WordPattern _pattern;
    private readonly SortedDictionary<int, string> _special;
    private readonly AddedTokenFinder _asGiven, _normalized;
    private readonly ConcurrentDictionary<string, int[]> _words = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _wordsBySpan;
    private readonly Lazy<string> _hash;
    private int _remembered;

    /// <param name="tokens">Every token by id: byte strings in GPT-2's alphabet or pieces of text, added tokens as they read.</param>
    /// <param name="added">Tokens that are found in a text before it is cut.</param>
    /// <param name="companions">Files that <see cref="Save"/> writes too, by name.</param>
    internal Tokenizer(
        string[] tokens, BytePairMerges merges, IEnumerable<AddedToken> added, TokenizerStages stages,
        IReadOnlyDictionary<string, byte[]>? companions = null)
    {
        (_tokens, _merges, Stages, Companions) = (tokens, merges, stages, companions ?? new Dictionary<string, byte[]>());
        // Where there is nothing to normalize, all are sought in the text as given; GPT-2's vocabulary is written with all of them.
        Added = [.. added.OrderBy(token => token.Id)
            .Select(token => stages.IsGpt2 ? token with { Normalized = false, InVocabulary = true } : token)];
        _special = new SortedDictionary<int, string>(
            Added.Where(token => token.Special).ToDictionary(token => token.Id, token => token.Content));
        _ids = tokens.Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id, StringComparer.Ordinal);
        var outside = Added.Where(token => !token.InVocabulary || stages.IsGpt2).Select(token => token.Id).ToHashSet();
        _vocabulary = (outside.Count == 0 ? _ids : _ids.Where(token => !outside.Contains(token.Value)).ToDictionary(StringComparer.Ordinal))
            .GetAlternateLookup<ReadOnlySpan<char>>();
        var isAdded = Added.Select(token => token.Id).ToHashSet();
        _bytes = [.. tokens.Select((token, id) =>
            stages.Pieces is not null ? Encoding.UTF8.GetBytes(token.Replace(Words.Mark, ' '))
            : isAdded.Contains(id) ? Encoding.UTF8.GetBytes(token) : ByteAlphabet.FromText(token)!)];
        Array.Fill(_idOfByte, -1);
        foreach (var b in ByteAlphabet.Order.Where(_ => stages.Pieces is not { ByBytes: false }))
        {
            _idOfByte[b] = _ids[stages.Pieces is null ? ByteAlphabet.ToText([b]) : ByteAlphabet.Fallback(b)];
        }

        var marksBeginWords = _vocabulary.ContainsKey([Words.Mark]) && !stages.IgnoresMerges
            && !tokens.Where((_, id) => !outside.Contains(id)).Any(HasMarkInside);
        _pattern = stages.Words == WordPattern.Whole && marksBeginWords ? WordPattern.MarkRuns : stages.Words;
        _asGiven = new AddedTokenFinder(Added.Where(token => !token.Normalized), content => content);
        _normalized = new AddedTokenFinder(Added.Where(token => token.Normalized), Normalize);
        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        _hash = new Lazy<string>(() => Convert.ToHexStringLower(SHA256.HashData(TokenizerFiles.Json(this))));
    }

    /// <summary>
    /// How many tokens there are, special ones included; ids are 0 to this minus 1. A model may have more rows, which stand for nothing.
    /// </summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Special tokens by id, in ascending order.</summary>
    public IReadOnlyDictionary<int, string> SpecialTokens => _special;

    /// <summary>
    /// What the model was trained to see before every text, such as Llama's begin of text. <see cref="EncodePrompt"/> puts it there,
    /// <see cref="Encode"/> does not.
    /// </summary>
    public IReadOnlyList<int> Before => Stages.Before;

    /// <summary>What the model was trained to see after every text; nothing for most models that write.</summary>
    public IReadOnlyList<int> After => Stages.After;

    /// <summary>SHA-256, in lower-case hexadecimal, of the <c>tokenizer.json</c> that <see cref="Save"/> writes.</summary>
    public string Hash => _hash.Value;

    internal IReadOnlyList<string> Tokens => _tokens;

    internal IReadOnlyList<(int Left, int Right, int Id)> Merges => _merges.All;

    internal IReadOnlyList<AddedToken> Added { get; }

    internal TokenizerStages Stages { get; }

    internal IReadOnlyDictionary<string, byte[]> Companions { get; }

    /// <summary>Reads <c>tokenizer.json</c>, or <c>vocab.json</c> and <c>merges.txt</c> where there is none.</summary>
    /// <remarks>
    /// Of the latter two, a token that no merge makes is special, such as GPT-2's end of text; so is one in <c>added_tokens.json</c>.
    /// </remarks>
    /// <exception cref="Alt.Domain.InputException">A file is missing or malformed, or describes another kind of tokenizer.</exception>
    public static Tokenizer Load(string folder) => TokenizerFiles.Load(folder);

    /// <summary>
    /// Learns merges of the most frequent neighbours, until the vocabulary is full or no pair occurs twice.
    /// Equal counts are decided for the pair with the lower left id, then the lower right id, so the result depends on nothing but the
    /// input.
    /// </summary>
    /// <param name="vocabularySize">
    /// The 256 bytes and the special tokens included. Texts with too few different pairs give fewer tokens.
    /// </param>
    /// <param name="specialTokens">They get the last ids, in this order.</param>
    /// <exception cref="ArgumentOutOfRangeException">The vocabulary has no room for the bytes and the special tokens.</exception>
    public static Tokenizer Train(IEnumerable<string> texts, int vocabularySize, IReadOnlyList<string> specialTokens) =>
        TokenizerTrainer.Train(texts, vocabularySize, specialTokens);

    /// <summary>
    /// Writes <c>tokenizer.json</c>, as Hugging Face's libraries read it; beside one of GPT-2's kind <c>vocab.json</c> and
    /// <c>merges.txt</c>, beside the others <c>tokenizer_config.json</c> and the chat template that it was loaded with.
    /// </summary>
    public void Save(string folder) => TokenizerFiles.Save(this, folder);

    /// <summary>
    /// The id of a special token by its text, or of another token as the vocabulary spells it (GPT-2 a space as <c>Ġ</c>, Llama 2 as
    /// <c>▁</c>); null if there is none.
    /// </summary>
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
                throw new ArgumentException(
                    $"'{token}' cannot be a special token: it is empty or an ordinary token of the vocabulary.", nameof(tokens));
            }
        }

        return new Tokenizer(
            [.. _tokens, .. added], _merges, [.. Added, .. added.Select((token, i) => AddedToken.Marker(_tokens.Length + i, token))],
            Stages, Companions);
    }

    /// <summary>
    /// Token ids of a text, without <see cref="Before"/> and <see cref="After"/>. Half a surrogate pair, which UTF-8 cannot hold, becomes
    /// U+FFFD.
    /// </summary>
    /// <param name="specialTokens">
    /// Whether a special token's text becomes that token rather than ordinary text. Leave it false for text from outside.
    /// </param>
    public int[] Encode(string text, bool specialTokens = false)
    {
        var ids = new List<int>(text.Length / 3 + 1);
        var at = 0;
        foreach (var (start, end, id) in _asGiven.Find(text, specialTokens))
        {
            EncodeBetween(text, at, start, specialTokens, ids);
            ids.Add(id);
            at = end;
        }

        EncodeBetween(text, at, text.Length, specialTokens, ids);
        return [.. ids];
    }

    /// <summary>Token ids of a text that a model is to continue: what stands <see cref="Before"/> every text, then the text.</summary>
    public int[] EncodePrompt(string text) => [.. Before, .. Encode(text)];

    /// <summary>The text of token ids. Bytes that are not UTF-8, as where a generation ends inside a character, become U+FFFD.</summary>
    /// <param name="skipSpecialTokens">Whether special tokens leave no text.</param>
    /// <param name="continues">
    /// Whether other text stands before this one. Tokenizers over characters begin a text with a space, which goes again where the text
    /// begins, and only there: what a model writes after its prompt keeps its first space.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// An id is negative. One beyond the vocabulary, as models with spare rows may draw, leaves no text.
    /// </exception>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false, bool continues = false)
    {
        var bytes = new List<byte>(ids.Length * 4);
        var loose = 0;
        foreach (var id in ids)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(id, nameof(ids));
            if (id >= _bytes.Length || (skipSpecialTokens && _special.ContainsKey(id)))
            {
                continue;
            }

            if (Stages.Pieces is not null && ByteOf(id) is { } b)
            {
                bytes.Add(b);
                loose++;
                continue;
            }

            CloseBytes(bytes, loose);
            loose = 0;
            bytes.AddRange(_bytes[id]);
        }

        CloseBytes(bytes, loose);
        var text = Encoding.UTF8.GetString(CollectionsMarshal.AsSpan(bytes));
        return Stages.Pieces is { StripsFirstSpace: true } && !continues && text.StartsWith(' ') ? text[1..] : text;
    }

    private static bool HasMarkInside(string token) => token.AsSpan().TrimStart(Words.Mark).Contains(Words.Mark);

    // Byte tokens in a row are one text, or where they are none, one U+FFFD each.
    private static void CloseBytes(List<byte> bytes, int count)
    {
        if (count > 0 && !System.Text.Unicode.Utf8.IsValid(CollectionsMarshal.AsSpan(bytes)[^count..]))
        {
            bytes.RemoveRange(bytes.Count - count, count);
            for (; count > 0; count--)
            {
                bytes.AddRange("\uFFFD"u8);
            }
        }
    }

    private byte? ByteOf(int id) =>
        _tokens[id] is ['<', '0', 'x', var high, var low, '>'] && char.IsAsciiHexDigitUpper(high) && char.IsAsciiHexDigitUpper(low)
            ? (byte)(Convert.FromHexString([high, low])[0])
            : null;

    private string Normalize(string text) => Stages.Normalization switch
    {
        Normalization.Composed => CanonicalComposition.Normalize(text),
        Normalization.Marked => text.Replace(' ', Words.Mark),
        Normalization.MarkedWithPrefix when text.Length > 0 => Words.Mark + text.Replace(' ', Words.Mark),
        _ => text,
    };

    private void EncodeBetween(string text, int start, int end, bool specialTokens, List<int> ids)
    {
        if (start >= end)
        {
            return;
        }

        var normal = Normalize(start == 0 && end == text.Length ? text : text[start..end]);
        var at = 0;
        foreach (var (from, to, id) in _normalized.Find(normal, specialTokens))
        {
            EncodeOrdinary(normal.AsSpan(at, Math.Max(0, from - at)), start == 0 && at == 0, ids);
            ids.Add(id);
            at = to;
        }

        EncodeOrdinary(normal.AsSpan(at), start == 0 && at == 0, ids);
    }

    private void EncodeOrdinary(ReadOnlySpan<char> text, bool isFirst, List<int> ids)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (Stages.Metaspace != Metaspace.None)
        {
            var marked = text.ToString().Replace(' ', Words.Mark);
            text = !marked.StartsWith(Words.Mark)
                && (Stages.Metaspace == Metaspace.Always || (Stages.Metaspace == Metaspace.First && isFirst))
                ? Words.Mark + marked
                : marked;
        }

        while (!text.IsEmpty)
        {
            var length = Words.Next(text, _pattern);
            ids.AddRange(Known(text[..length]));
            text = text[length..];
        }
    }

    private int[] Known(ReadOnlySpan<char> word)
    {
        if (!_wordsBySpan.TryGetValue(word, out var known))
        {
            known = EncodeWord(word);
            if (word.Length <= RememberedLength && _remembered < RememberedWords && _wordsBySpan.TryAdd(word, known))
            {
                Interlocked.Increment(ref _remembered);
            }
        }

        return known;
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        if (Stages.Pieces is not null)
        {
            return Stages.IgnoresMerges && _vocabulary.TryGetValue(word, out var piece)
                ? [piece]
                : _merges.Apply(CollectionsMarshal.AsSpan(Characters(word)));
        }

        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(word.Length)];
        bytes = bytes[..Encoding.UTF8.GetBytes(word, bytes)];
        return Stages.IgnoresMerges && _vocabulary.TryGetValue(ByteAlphabet.ToText(bytes), out var whole)
            ? [whole]
            : _merges.Apply(Array.ConvertAll(bytes, b => _idOfByte[b]));
    }

    // A character that is no token becomes the tokens of its bytes, or together with others like it the unknown token, or nothing.
    private List<int> Characters(ReadOnlySpan<char> word)
    {
        var pieces = Stages.Pieces!;
        var symbols = new List<int>(word.Length);
        var isUnknown = false;
        Span<char> text = stackalloc char[2];
        Span<byte> bytes = stackalloc byte[4];
        foreach (var character in word.EnumerateRunes())
        {
            var wasUnknown = isUnknown;
            isUnknown = false;
            if (_vocabulary.TryGetValue(text[..character.EncodeToUtf16(text)], out var id))
            {
                symbols.Add(id);
            }
            else if (pieces.ByBytes)
            {
                foreach (var b in bytes[..character.EncodeToUtf8(bytes)])
                {
                    symbols.Add(_idOfByte[b]);
                }
            }
            else
            {
                isUnknown = true;
                if (pieces.Unknown is { } unknown && !(wasUnknown && pieces.Fused))
                {
                    symbols.Add(_ids[unknown]);
                }
            }
        }

        return symbols;
    }
}
