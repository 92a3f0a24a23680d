using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Alt.Domain;

/// <summary>How a generation is drawn from the policy's next-token distribution.</summary>
public sealed record SamplingOptions
{
    /// <summary>The logits are divided by this before the softmax. Above 0.</summary>
    /// <value>Default 1.</value>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the most likely tokens that together reach this probability can be drawn. Above 0, at most 1.</summary>
    /// <value>Default 1, which truncates nothing.</value>
    public double TopP { get; init; } = 1;

    /// <summary>Only this many of the most likely tokens can be drawn; 0 is off.</summary>
    /// <value>Default 0.</value>
    public int TopK { get; init; }

    /// <summary>The end-of-text token cannot be drawn before this many tokens.</summary>
    /// <value>Default 0.</value>
    public int MinNewTokens { get; init; }

    /// <summary>A generation stops at this many tokens, the end-of-text token counted.</summary>
    /// <value>Default 20.</value>
    public int MaxNewTokens { get; init; } = 20;

    /// <summary>Tokens that can never be drawn, such as the feedback's own added tokens.</summary>
    /// <value>Default none.</value>
    public IReadOnlyList<int> BannedTokens { get; init; } = [];

    /// <param name="key">The options' path in the config.</param>
    internal IEnumerable<(bool Ok, string Problem)> Checks(string key) =>
    [
        (Temperature > 0, $"{key}.temperature is {Temperature}, expected more than 0"),
        (TopP is > 0 and <= 1, $"{key}.topP is {TopP}, expected above 0 and at most 1"),
        (TopK >= 0, $"{key}.topK is {TopK}, expected 0 (off) or more"),
        (MinNewTokens >= 0 && MaxNewTokens > 0 && MinNewTokens <= MaxNewTokens,
            $"{key}.minNewTokens {MinNewTokens} and maxNewTokens {MaxNewTokens} do not fit together"),
    ];
}

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>The end-of-text token was drawn; it is the last token of the generation.</summary>
    Stop,

    /// <summary><see cref="SamplingOptions.MaxNewTokens"/> was reached first: the text is truncated.</summary>
    Length,
}

/// <summary>
/// One generation y, as it came from the policy; the tokens include the end-of-text token where that ended it, the text does not.
/// </summary>
/// <param name="LogProbs">Log-probability of each token under the distribution that it was drawn from.</param>
/// <param name="ErasedContent">The content hash of a sample whose text was erased, and whose tokens are all 0 since; else null.</param>
public sealed record Sample(
    SampleId Id, string Text, int[] Tokens, float[] LogProbs, FinishReason FinishReason, string? ErasedContent = null)
{
    /// <summary>
    /// The feedback that it was given, where an iteration's samples are given different ones (<see cref="Exemplars"/>); else null.
    /// </summary>
    public string? Conditioning { get; init; }

    /// <summary>SHA-256 over the token ids and the text: what a pool entry remembers of a sample's content.</summary>
    public string ContentHash()
    {
        if (ErasedContent is not null)
        {
            return ErasedContent;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> id = stackalloc byte[sizeof(int)];
        foreach (var token in Tokens)
        {
            BinaryPrimitives.WriteInt32LittleEndian(id, token);
            hash.AppendData(id);
        }

        hash.AppendData(Encoding.UTF8.GetBytes(Text));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
