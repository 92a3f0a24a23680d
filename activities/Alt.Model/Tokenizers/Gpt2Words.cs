namespace Alt.Model.Tokenizers;

/// <summary>GPT-2's words: <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.</summary>
internal static class Gpt2Words
{
    /// <inheritdoc cref="Words.Next"/>
    public static int Next(ReadOnlySpan<char> text)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        // One plain space belongs to the word that follows it.
        var start = text[0] == ' ' && text.Length > 1 && CharacterKinds.At(text, 1).Kind != CharacterKind.Space ? 1 : 0;
        var kind = CharacterKinds.At(text, start).Kind;
        var end = start;
        var lastLength = 0;
        while (end < text.Length)
        {
            var (next, length) = CharacterKinds.At(text, end);
            if (next != kind)
            {
                break;
            }

            lastLength = length;
            end += length;
        }

        // A run of white space leaves its last character to the word that follows, unless it has only that one.
        return kind == CharacterKind.Space && end < text.Length && end > lastLength ? end - lastLength : end;
    }

    private static int Contraction(ReadOnlySpan<char> text) =>
        text.Length < 2 || text[0] != '\'' ? 0
        : text[1] is 's' or 't' or 'm' or 'd' ? 2
        : text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3
        : 0;
}
