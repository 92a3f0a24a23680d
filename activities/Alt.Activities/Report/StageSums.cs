using Alt.Domain;

namespace Alt.Activities;

/// <summary>The arithmetic that must hold at the end of a stage: nothing lost, nothing twice.</summary>
internal static class StageSums
{
    private const int Named = 10;

    /// <exception cref="InvalidOperationException">A sample is missing, present twice, or does not belong here.</exception>
    public static void Require(Stage stage, IReadOnlyCollection<SampleId> expected, IEnumerable<SampleId> found)
    {
        var missing = expected.ToHashSet();
        var (twice, foreign, seen) = (new List<SampleId>(), new List<SampleId>(), new HashSet<SampleId>());
        foreach (var id in found)
        {
            if (!seen.Add(id))
            {
                twice.Add(id);
            }
            else if (!missing.Remove(id))
            {
                foreign.Add(id);
            }
        }

        if (missing.Count + twice.Count + foreign.Count > 0)
        {
            throw new InvalidOperationException(
                $"{stage} does not add up to {expected.Count} "
                + $"samples:{List("missing", missing)}{List("twice", twice)}{List("not of this stage", foreign)}.");
        }

        static string List(string what, IReadOnlyCollection<SampleId> ids) =>
            ids.Count == 0
                ? ""
                : $" {what} {string.Join(", ", ids.Order().Take(Named))}{(ids.Count > Named ? $" and {ids.Count - Named} more" : "")};";
    }

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
            throw new InvalidOperationException(
                $"{stage} ended with {samples} samples, expected {expectedSamples}; per chunk: "
                + $"{string.Join(", ", chunks.Select(c => c.Count))}.");
        }
    }
}
