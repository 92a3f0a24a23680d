using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Alt.Domain;

namespace Alt.Rehearsal;

/// <summary>What may go wrong with a reply.</summary>
public enum Fault
{
    None,

    /// <summary>429 that does not say when to retry.</summary>
    RateLimit,

    /// <summary>429 with Retry-After.</summary>
    RateLimitWithRetryAfter,

    ServerError,

    /// <summary>Billed, and answered later than the client waits.</summary>
    Slow,

    /// <summary>Billed, and the connection is lost before the status line.</summary>
    Dropped,

    /// <summary>Billed, and the connection is lost in the middle of the body.</summary>
    Truncated,

    /// <summary>Success, and not what was asked for.</summary>
    Malformed,

    /// <summary>Success, in German.</summary>
    WrongLanguage,

    /// <summary>Success, with two answers that exclude each other.</summary>
    Contradictory,
}

/// <summary>How often each fault occurs, and for which requests. The same seed gives the same faults in every run.</summary>
/// <param name="Shares">Shares of all requests; the rest succeed.</param>
public sealed record Faults(IReadOnlyDictionary<Fault, double> Shares, int Seed = 0)
{
    private static readonly IReadOnlyDictionary<string, Fault> Names = new Dictionary<string, Fault>
    {
        ["429"] = Fault.RateLimit,
        ["429-retry-after"] = Fault.RateLimitWithRetryAfter,
        ["500"] = Fault.ServerError,
        ["slow"] = Fault.Slow,
        ["dropped"] = Fault.Dropped,
        ["truncated"] = Fault.Truncated,
        ["malformed"] = Fault.Malformed,
        ["wrong-language"] = Fault.WrongLanguage,
        ["contradictory"] = Fault.Contradictory,
    };

    public static Faults None { get; } = new(new Dictionary<Fault, double>());

    public static string Known => string.Join(", ", Names.Keys);

    /// <param name="settings">Each <c>FAULT=SHARE</c>.</param>
    /// <exception cref="InputException">One is not of that form, or they add up to more than 1.</exception>
    public static Faults Parse(IEnumerable<string> settings, int seed)
    {
        var shares = new SortedDictionary<Fault, double>();
        foreach (var setting in settings)
        {
            shares[setting.Split('=') is [var name, var share] && Names.TryGetValue(name, out var fault) && double.TryParse(
                share, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
                ? fault
                : throw new InputException($"--fault {setting}: expected FAULT=SHARE, such as 429=.1, with one of {Known}")] = value;
        }

        return shares.Values.Sum() is var sum and > 1
            ? throw new InputException(
                string.Create(CultureInfo.InvariantCulture, $"--fault: the shares add up to {sum}; expected 1 at most"))
            : new Faults(shares, seed);
    }

    /// <param name="content">SHA-256 of the request.</param>
    /// <param name="attempt">How often this content has come, from 1 on.</param>
    public Fault Draw(byte[] content, int attempt)
    {
        if (Shares.Count == 0)
        {
            return Fault.None;
        }

        Span<byte> key = stackalloc byte[40];
        content.CopyTo(key);
        BinaryPrimitives.WriteInt32LittleEndian(key[32..], Seed);
        BinaryPrimitives.WriteInt32LittleEndian(key[36..], attempt);
        var uniform = Uniform(key);
        foreach (var (fault, share) in Shares)
        {
            if ((uniform -= share) < 0)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    /// <returns>A number in [0, 1) that depends on these bytes alone.</returns>
    public static double Uniform(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes)) / Math.Pow(2, 64);
}
