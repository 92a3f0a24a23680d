namespace Alt.Model.Tokenizers;

/// <summary>Where a text is cut before its words become tokens.</summary>
internal enum WordPattern
{
    /// <summary>GPT-2's and GPT-NeoX's regular expression, which ByteLevel stands for.</summary>
    Gpt2,

    /// <summary>cl100k's and Llama 3's: numbers of up to three digits.</summary>
    Cl100k,

    /// <summary>Qwen2's: as cl100k's, but each digit alone.</summary>
    Qwen2,

    /// <summary>Before each mark of a word's start (Metaspace with split).</summary>
    Marks,

    /// <summary>
    /// Before each run of marks: not asked for by a file, but the same tokens where no token of the vocabulary has a mark behind another
    /// character.
    /// </summary>
    MarkRuns,

    /// <summary>Nowhere.</summary>
    Whole,
}

/// <summary>
/// Cuts words off the start of a text, by hand: see <see cref="CharacterKinds"/> for why not by .NET's regular expressions.
/// </summary>
internal static class Words
{
    /// <summary>SentencePiece's mark of a word's start.</summary>
    public const char Mark = '▁';

    /// <summary>The length in UTF-16 units of the word that starts the text, which must not be empty.</summary>
    public static int Next(ReadOnlySpan<char> text, WordPattern pattern) => pattern switch
    {
        WordPattern.Gpt2 => Gpt2Words.Next(text),
        WordPattern.Cl100k => Cl100kWords.Next(text, longestNumber: 3),
        WordPattern.Qwen2 => Cl100kWords.Next(text, longestNumber: 1),
        WordPattern.Marks => 1 + Rest(text[1..].IndexOf(Mark), text.Length - 1),
        WordPattern.MarkRuns => NextMarkRun(text),
        _ => text.Length,
    };

    private static int NextMarkRun(ReadOnlySpan<char> text)
    {
        var word = Rest(text.IndexOfAnyExcept(Mark), text.Length);
        return word + Rest(text[word..].IndexOf(Mark), text.Length - word);
    }

    private static int Rest(int index, int length) => index < 0 ? length : index;
}
