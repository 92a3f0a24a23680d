using System.Runtime.InteropServices;

namespace Alt.Model.Encoders;

/// <summary>A text's tokens, or two texts', with the special tokens around them. In order of length, then of the tokens.</summary>
/// <param name="SecondStart">Where the second text begins; the length where there is one text.</param>
public readonly record struct TokenSequence(int[] Ids, int SecondStart) : IComparable<TokenSequence>
{
    public bool Equals(TokenSequence other) => SecondStart == other.SecondStart && Ids.AsSpan().SequenceEqual(other.Ids);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(MemoryMarshal.AsBytes(Ids.AsSpan()));
        return hash.ToHashCode();
    }

    public int CompareTo(TokenSequence other) =>
        Ids.Length != other.Ids.Length ? Ids.Length.CompareTo(other.Ids.Length)
        : Ids.AsSpan().SequenceCompareTo(other.Ids) is var order and not 0 ? order
        : SecondStart.CompareTo(other.SecondStart);
}
