using System.Text;

namespace Alt.Model.Tokenizers;

/// <summary>GPT-2's alphabet: one printable character for each byte, so that a vocabulary of byte strings can be written as text.</summary>
internal static class ByteAlphabet
{
    /// <summary>The 256 bytes in the order in which GPT-2 numbers them: the printable ones first.</summary>
    public static readonly byte[] Order = [.. Enumerable.Range(0, 256).Where(IsPrintable)
        .Concat(Enumerable.Range(0, 256).Where(b => !IsPrintable(b))).Select(b => (byte)b)];

    private static readonly char[] CharOfByte = Characters();
    private static readonly Dictionary<char, byte> ByteOfChar = Enumerable.Range(0, 256).ToDictionary(b => CharOfByte[b], b => (byte)b);

    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var b in bytes)
        {
            text.Append(CharOfByte[b]);
        }

        return text.ToString();
    }

    /// <returns>Null where the text holds a character outside the alphabet.</returns>
    public static byte[]? FromText(string text)
    {
        var bytes = new byte[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            if (!ByteOfChar.TryGetValue(text[i], out bytes[i]))
            {
                return null;
            }
        }

        return bytes;
    }

    /// <summary>SentencePiece's token for a byte of a character that has none.</summary>
    public static string Fallback(byte b) => $"<0x{b:X2}>";

    private static bool IsPrintable(int b) => b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF;

    private static char[] Characters()
    {
        var characters = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
        {
            characters[b] = IsPrintable(b) ? (char)b : (char)next++;
        }

        return characters;
    }
}
