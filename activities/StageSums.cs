using Alt.Domain;

namespace Alt.Activities;

/// <summary>The arithmetic that must hold at the end of a stage: nothing lost, nothing twice.</summary>
internal static class StageSums
{
    /// <exception cref="InvalidOperationException">A chunk is missing, or the chunks do not add up to what was asked for.</exception>
    public static void Require(Stage stage, IReadOnlyList<IterationEvent.ChunkFinished> chunks, int expectedChunks, int expectedSamples)
    {
        var missing = Enumerable.Range(0, expectedChunks).Except(chunks.Select(c => c.Chunk)).ToArray();
        if (missing.Length > 0)
        {
            throw new InvalidOperationException($"{stage} ended without its chunks {string.Join(", ", missing)} of {expectedChunks}.");
        }

        var samples = chunks.Sum(c => c.Count);
        if (samples != expectedSamples)
        {
            throw new InvalidOperationException($"{stage} ended with {samples} samples, expected {expectedSamples}; per chunk: {string.Join(", ", chunks.Select(c => c.Count))}.");
        }
    }
}
