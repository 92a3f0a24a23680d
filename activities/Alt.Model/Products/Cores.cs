namespace Alt.Model.Products;

/// <summary>Shares work out among the cores.</summary>
internal static class Cores
{
    private static readonly ParallelOptions Options = new() { MaxDegreeOfParallelism = Environment.ProcessorCount };

    /// <summary>
    /// Calls the method once for each piece, and returns when all are done. A free thread takes the next piece, the caller's too.
    /// </summary>
    /// <remarks>
    /// <see cref="Parallel"/> by itself gives out ranges that grow, which leaves a core without work at the end of a few large pieces.
    /// </remarks>
    public static void Share(int pieces, Action<int> body)
    {
        if (pieces == 1 || Environment.ProcessorCount == 1)
        {
            for (var piece = 0; piece < pieces; piece++)
            {
                body(piece);
            }

            return;
        }

        var next = -1;
        Parallel.For(0, Math.Min(pieces, Environment.ProcessorCount), Options, _ =>
        {
            for (var piece = Interlocked.Increment(ref next); piece < pieces; piece = Interlocked.Increment(ref next))
            {
                body(piece);
            }
        });
    }
}
