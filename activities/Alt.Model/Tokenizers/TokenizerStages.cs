using System.Text.Json;

namespace Alt.Model.Tokenizers;

/// <summary>What a whole text becomes before it is cut.</summary>
internal enum Normalization
{
    None,

    /// <summary>Unicode's NFC.</summary>
    Composed,

    /// <summary>Every space a mark.</summary>
    Marked,

    /// <summary>A mark before it, and every space a mark.</summary>
    MarkedWithPrefix,
}

/// <summary>What Metaspace puts a mark before, besides making every space one.</summary>
internal enum Metaspace
{
    /// <summary>There is no Metaspace.</summary>
    None,

    /// <summary>Every stretch of text between added tokens that has none.</summary>
    Always,

    /// <summary>The text's start, if it has none.</summary>
    First,

    /// <summary>Nothing.</summary>
    Never,
}

/// <summary>How characters that are no token become tokens; null where tokens are made of bytes.</summary>
/// <param name="Unknown">The token of a character that has none.</param>
/// <param name="Fused">Whether several such in a row are one token.</param>
/// <param name="ByBytes">Whether the tokens of its bytes take the unknown token's place.</param>
/// <param name="StripsFirstSpace">Whether a decoded text loses a space at its start, which a prefix put there.</param>
internal sealed record SentencePieces(string? Unknown, bool Fused, bool ByBytes, bool StripsFirstSpace);

/// <summary>What a tokenizer.json says beside its tokens: the known kinds of its stages, and those stages as they are written.</summary>
internal sealed record TokenizerStages
{
    public static TokenizerStages Gpt2 { get; } = new();

    public Normalization Normalization { get; init; }

    public Metaspace Metaspace { get; init; }

    public WordPattern Words { get; init; }

    public SentencePieces? Pieces { get; init; }

    /// <summary>Whether a word that is a token stays whole, though no merges lead to it.</summary>
    public bool IgnoresMerges { get; init; }

    /// <summary>Ids that the post-processor puts before a text.</summary>
    public IReadOnlyList<int> Before { get; init; } = [];

    /// <summary>Ids that the post-processor puts after a text.</summary>
    public IReadOnlyList<int> After { get; init; } = [];

    /// <summary>The values of <c>normalizer</c>, <c>pre_tokenizer</c>, <c>post_processor</c> and <c>decoder</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement> Written { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Whether nothing differs from GPT-2's, whose files are written in one way whatever they were read from.</summary>
    public bool IsGpt2 =>
        (Normalization, Metaspace, Words, Pieces, IgnoresMerges, Before.Count, After.Count) is (
            Normalization.None, Metaspace.None, WordPattern.Gpt2, null, false, 0, 0);
}
