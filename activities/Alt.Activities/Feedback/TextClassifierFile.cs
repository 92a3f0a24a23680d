using System.Buffers.Binary;
using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>
/// What a text classifier is made of, and its one file, little-endian: 8 bytes <c>ALTTEXT1</c>, 1 byte whether there are character n-grams,
/// the bias as float, the number of features, then for each the bucket (int), inverse document frequency and weight (floats), buckets
/// ascending.
/// </summary>
internal sealed record TextClassifierFile(bool Characters, float Bias, TextClassifierFile.Feature[] Features)
{
    private const int HeaderLength = 17, FeatureLength = 12;

    private static ReadOnlySpan<byte> Magic => "ALTTEXT1"u8;

    public readonly record struct Feature(int Bucket, float Idf, float Weight);

    public byte[] ToBytes()
    {
        var bytes = new byte[HeaderLength + Features.Length * FeatureLength];
        Magic.CopyTo(bytes);
        bytes[8] = Characters ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(9), Bias);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(13), Features.Length);
        for (var i = 0; i < Features.Length; i++)
        {
            var at = bytes.AsSpan(HeaderLength + i * FeatureLength);
            BinaryPrimitives.WriteInt32LittleEndian(at, Features[i].Bucket);
            BinaryPrimitives.WriteSingleLittleEndian(at[4..], Features[i].Idf);
            BinaryPrimitives.WriteSingleLittleEndian(at[8..], Features[i].Weight);
        }

        return bytes;
    }

    /// <exception cref="InputException">The bytes are no text classifier.</exception>
    public static TextClassifierFile Parse(ReadOnlySpan<byte> bytes, string file)
    {
        if (bytes.Length < HeaderLength || !bytes.StartsWith(Magic))
        {
            throw new InputException($"{file}: not a text classifier; expected a file that begins with ALTTEXT1");
        }

        var features = new Feature[(bytes.Length - HeaderLength) / FeatureLength];
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[13..]) != features.Length
            || bytes.Length != HeaderLength + features.Length * FeatureLength)
        {
            throw new InputException(
                $"{file}: its {bytes.Length} bytes do not fit its number of features; the file is cut off or damaged: "
                + "train the classifier again");
        }

        for (var i = 0; i < features.Length; i++)
        {
            var at = bytes[(HeaderLength + i * FeatureLength)..];
            var bucket = BinaryPrimitives.ReadInt32LittleEndian(at);
            features[i] = (uint)bucket < TextFeatures.Buckets
                ? new Feature(bucket, BinaryPrimitives.ReadSingleLittleEndian(at[4..]), BinaryPrimitives.ReadSingleLittleEndian(at[8..]))
                : throw new InputException(
                    $"{file}: feature {i} has the bucket {bucket}, expected 0 to {TextFeatures.Buckets - 1}: train the classifier again");
        }

        return new TextClassifierFile(bytes[8] != 0, BinaryPrimitives.ReadSingleLittleEndian(bytes[9..]), features);
    }
}
