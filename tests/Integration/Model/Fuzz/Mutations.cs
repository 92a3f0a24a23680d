using System.Globalization;
using System.Text;

namespace Alt.Tests.Model;

/// <summary>Accidental and deliberate damage to files: the same for the same file and seed.</summary>
internal static class Mutations
{
    private static readonly Func<byte[], Random, byte[]>[] Kinds =
        [FlipBits, OverwriteBytes, Delete, Duplicate, Truncate, Move, SwapNumbers, ReplaceNumber, ReplaceLiteral, Nest, InsertText];

    private static readonly string[] Numbers =
    [
        "-1", "0", "1", "255", "65536", "2147483647", "2147483648", "-2147483648", "4294967296", "9223372036854775807",
        "18446744073709551616", "1e308", "1e999999", "-1e400", "0.5", "NaN", "",
        "00", "1000000000000000000000000000000000000000",
    ];

    private static readonly string[] Literals = ["null", "true", "false", "[]", "{}", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "0"];

    private static readonly string[] Texts = [
        "\0", "\uFEFF", "\r", "\n", "\\", "\"", "{", "}", "[", "]", ",", ":", " ", "/*", "{{", "{%-", "-%}", "}}", "((((", "\u2028", "../",
        "😀", "%s"
    ];

    /// <summary>One to three mutations of a file; at most 64 kB longer than twice the original.</summary>
    public static byte[] Of(byte[] original, int seed)
    {
        var random = new Random(seed);
        var mutated = original;
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var limit = original.Length * 2 + (1 << 16);
            var next = Kinds[random.Next(Kinds.Length)](mutated, random);
            mutated = next.Length <= limit ? next : next[..limit];
        }

        return mutated;
    }

    private static byte[] FlipBits(byte[] file, Random random)
    {
        var copy = file.ToArray();
        for (var times = copy.Length == 0 ? 0 : random.Next(1, 5); times > 0; times--)
        {
            copy[random.Next(copy.Length)] ^= (byte)(1 << random.Next(8));
        }

        return copy;
    }

    private static byte[] OverwriteBytes(byte[] file, Random random)
    {
        var copy = file.ToArray();
        random.NextBytes(Range(copy, random, 8) is var (start, length) ? copy.AsSpan(start, length) : []);
        return copy;
    }

    private static byte[] Delete(byte[] file, Random random)
    {
        var (start, length) = Range(file, random, 64);
        return [.. file[..start], .. file[(start + length)..]];
    }

    private static byte[] Duplicate(byte[] file, Random random)
    {
        var (start, length) = Range(file, random, 256);
        var times = random.Next(4) == 0 ? random.Next(2, 50) : 1;
        return [.. file[..start], .. Enumerable.Repeat(file[start..(start + length)], times).SelectMany(part => part), .. file[start..]];
    }

    private static byte[] Truncate(byte[] file, Random random) =>
        random.Next(2) == 0 ? file[..random.Next(file.Length + 1)] : file[random.Next(file.Length + 1)..];

    private static byte[] Move(byte[] file, Random random)
    {
        var (start, length) = Range(file, random, 128);
        byte[] rest = [.. file[..start], .. file[(start + length)..]];
        var to = random.Next(rest.Length + 1);
        return [.. rest[..to], .. file[start..(start + length)], .. rest[to..]];
    }

    private static byte[] SwapNumbers(byte[] file, Random random)
    {
        var numbers = Runs(file, IsDigit);
        if (numbers.Count < 2)
        {
            return FlipBits(file, random);
        }

        var (a, b) = (numbers[random.Next(numbers.Count)], numbers[random.Next(numbers.Count)]);
        (a, b) = a.Start <= b.Start ? (a, b) : (b, a);
        return a.Start == b.Start ? file
            : [.. file[..a.Start], .. file[b.Start..b.End], .. file[a.End..b.Start], .. file[a.Start..a.End], .. file[b.End..]];
    }

    private static byte[] ReplaceNumber(byte[] file, Random random)
    {
        var number = random.Next(4) == 0
            ? random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture)
            : Numbers[random.Next(Numbers.Length)];
        return Replace(file, Runs(file, IsDigit), number, random);
    }

    // What stands between two separators, which in JSON is a value or a key.
    private static byte[] ReplaceLiteral(byte[] file, Random random) =>
        Replace(file, Runs(file, b => !" \n\t,:[]{}"u8.Contains(b)), Literals[random.Next(Literals.Length)], random);

    private static byte[] Nest(byte[] file, Random random)
    {
        var depth = random.Next(3) switch { 0 => 10, 1 => 100, _ => 20_000 };
        var (open, close) = random.Next(5) switch
        {
            0 => ("[", "]"),
            1 => ("{\"a\":", "}"),
            2 => ("(", ")"),
            3 => ("{% if 1 %}", "{% endif %}"),
            _ => ("not ", "")
        };
        var (start, length) = Range(file, random, 32);
        var closed = random.Next(2) == 0 ? Repeat(close, depth) : [];
        return [.. file[..start], .. Repeat(open, depth), .. file[start..(start + length)], .. closed, .. file[(start + length)..]];
    }

    private static byte[] InsertText(byte[] file, Random random)
    {
        var at = random.Next(file.Length + 1);
        return [.. file[..at], .. Encoding.UTF8.GetBytes(Texts[random.Next(Texts.Length)]), .. file[at..]];
    }

    private static byte[] Replace(byte[] file, List<(int Start, int End)> places, string text, Random random)
    {
        if (places.Count == 0)
        {
            return InsertText(file, random);
        }

        var (start, end) = places[random.Next(places.Count)];
        return [.. file[..start], .. Encoding.UTF8.GetBytes(text), .. file[end..]];
    }

    private static List<(int Start, int End)> Runs(byte[] file, Predicate<byte> belongs)
    {
        var runs = new List<(int, int)>();
        for (var at = 0; at < file.Length; at++)
        {
            var start = at;
            while (at < file.Length && belongs(file[at]))
            {
                at++;
            }

            if (at > start)
            {
                runs.Add((start, at));
            }
        }

        return runs;
    }

    private static (int Start, int Length) Range(byte[] file, Random random, int longest)
    {
        var start = random.Next(file.Length + 1);
        return (start, random.Next(Math.Min(longest, file.Length - start) + 1));
    }

    private static byte[] Repeat(string text, int times) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(text, times)));

    private static bool IsDigit(byte b) => b is >= (byte)'0' and <= (byte)'9';
}
