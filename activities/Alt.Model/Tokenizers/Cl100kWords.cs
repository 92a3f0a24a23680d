namespace Alt.Model.Tokenizers;

/// <summary>
/// The words of cl100k, Llama 3 and Qwen2:
/// <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal static class Cl100kWords
{
    /// <inheritdoc cref="Words.Next"/>
    public static int Next(ReadOnlySpan<char> text, int longestNumber)
    {
        var contraction = Contraction(text);
        if (contraction > 0)
        {
            return contraction;
        }

        var (kind, length) = CharacterKinds.At(text, 0);
        if (kind == CharacterKind.Letter)
        {
            return RunEnd(text, length, CharacterKind.Letter);
        }

        if (kind == CharacterKind.Number)
        {
            return RunEnd(text, length, CharacterKind.Number, longestNumber - 1);
        }

        // One character of any other kind belongs to the letters that follow it, a line's end excepted.
        if (text[0] is not ('\r' or '\n') && IsAt(text, length, CharacterKind.Letter))
        {
            return RunEnd(text, length, CharacterKind.Letter);
        }

        var mark = text[0] == ' ' ? 1 : 0;
        return IsAt(text, mark, CharacterKind.Other) ? LineEnds(text, RunEnd(text, mark, CharacterKind.Other)) : WhiteSpace(text);
    }

    // Up to the last line end of the white space; where it has none, all but its last character, unless it has only that one or ends the
    // text.
    private static int WhiteSpace(ReadOnlySpan<char> text)
    {
        var end = RunEnd(text, 0, CharacterKind.Space);
        var lines = text[..end].LastIndexOfAny('\r', '\n') + 1;
        return lines > 0 ? lines : end < text.Length && end > 1 ? end - 1 : end;
    }

    private static int LineEnds(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
        {
            at++;
        }

        return at;
    }

    private static bool IsAt(ReadOnlySpan<char> text, int at, CharacterKind kind) =>
        at < text.Length && CharacterKinds.At(text, at).Kind == kind;

    private static int RunEnd(ReadOnlySpan<char> text, int at, CharacterKind kind, int most = int.MaxValue)
    {
        for (; most > 0 && at < text.Length; most--)
        {
            var (next, length) = CharacterKinds.At(text, at);
            if (next != kind)
            {
                break;
            }

            at += length;
        }

        return at;
    }

    // Without regard to case, for which the long s is an s too.
    private static int Contraction(ReadOnlySpan<char> text) =>
        text.Length < 2 || text[0] != '\'' ? 0
        : Lower(text[1]) is 's' or 't' or 'm' or 'd' ? 2
        : text.Length > 2 && (Lower(text[1]), Lower(text[2])) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3
        : 0;

    private static char Lower(char c) => c == 'ſ' ? 's' : char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
}
