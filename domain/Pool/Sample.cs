using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Alt.Domain;

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
