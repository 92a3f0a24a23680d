namespace Alt.Domain;

/// <summary>
/// Names one artifact of a run (generations, judge replies, a checkpoint) by its content, so that an event stays small
/// and still identifies the exact bytes.
/// </summary>
/// <param name="Hash">SHA-256 of the content, 64 lower-case hexadecimal digits.</param>
/// <param name="Size">Length of the content in bytes.</param>
/// <param name="MediaType">What the bytes are, for example <c>application/jsonl</c>.</param>
public sealed record ArtifactRef(string Hash, long Size, string MediaType)
{
    /// <summary>The first twelve digits of the hash: enough to recognise an artifact in a message.</summary>
    public string ShortHash => Hash.Length > 12 ? Hash[..12] : Hash;

    public override string ToString() => $"{ShortHash} ({MediaType}, {Size} bytes)";
}
