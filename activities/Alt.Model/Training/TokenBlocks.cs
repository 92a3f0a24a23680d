using System.Collections;

namespace Alt.Model.Training;

/// <summary>A long text as rows for plain language modelling: consecutive blocks, each predicting all its tokens but the first.</summary>
/// <param name="tokens">The text; documents follow each other, parted by end-of-text tokens.</param>
/// <param name="length">Predicted tokens per row. What is left of the text after the last whole row is not used.</param>
public sealed class TokenBlocks(int[] tokens, int length) : IReadOnlyList<TrainingExample>
{
    public int Count => Math.Max(0, (tokens.Length - 1) / length);

    public TrainingExample this[int index] =>
        new([], [tokens[index * length]], tokens.AsSpan(index * length + 1, length).ToArray());

    public IEnumerator<TrainingExample> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
