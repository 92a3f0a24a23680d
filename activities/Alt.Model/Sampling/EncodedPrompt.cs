namespace Alt.Model.Sampling;

/// <summary>A prompt as a model reads it.</summary>
/// <param name="Tokens">All of them, without feedback.</param>
/// <param name="Lead">How many of the first tokens stay before feedback.</param>
public readonly record struct EncodedPrompt(int[] Tokens, int Lead)
{
    /// <summary>What a policy reads that is given feedback.</summary>
    public int[] With(IReadOnlyList<int> feedback) => [.. Tokens[..Lead], .. feedback, .. Tokens[Lead..]];
}
