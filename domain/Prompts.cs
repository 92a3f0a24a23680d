namespace Alt.Domain;

/// <summary>A prompt x. Its ordinal is its position in the run's imported prompts and names it in every record.</summary>
/// <param name="Reference">A right answer y*, for judges that compare with one; null for none.</param>
public sealed record Prompt(int Ordinal, string Text, string? Reference = null);

/// <summary>A text with the probability that it is toxic, from human or machine labels; what classifiers learn from.</summary>
public sealed record LabelledText(int Row, string Text, double Toxicity);

public static class Prompts
{
    /// <summary>The ordinals that an iteration works on: without replacement inside it, independent of other iterations.</summary>
    /// <param name="total">How many prompts there are.</param>
    /// <param name="count">How many are wanted; all of them when there are fewer.</param>
    /// <returns>Ordinals in ascending order, so that chunks do not depend on the draw's order.</returns>
    public static int[] Draw(long seed, int iteration, int total, int count)
    {
        var order = Philox.Permutation(new RandomKey(seed, iteration, Stage.Prompts, 0, 0), total);
        var drawn = order[..Math.Min(count, total)];
        Array.Sort(drawn);
        return drawn;
    }

    /// <summary>How many chunks of at most <paramref name="size"/> hold <paramref name="count"/> prompts.</summary>
    public static int Chunks(int count, int size) => (count + size - 1) / size;
}
