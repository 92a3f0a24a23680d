namespace Alt.Model.Network;

/// <summary>Cuts a batch into parts of about equal length, each padded to its own longest row.</summary>
internal static class LengthBuckets
{
    // What one more part costs, in tokens of padding: the weights' gradients are added up once more, and its products are smaller.
    private const int PartCost = 64;

    /// <param name="rows">Ascending by length.</param>
    /// <returns>The rows in their order, in the parts that cost the least: a function of the lengths alone.</returns>
    public static IEnumerable<T[]> Cut<T>(T[] rows, Func<T, int> length)
    {
        // The least cost of the first n rows, and where their last part begins.
        var (costs, begins) = (new long[rows.Length + 1], new int[rows.Length + 1]);
        for (var n = 1; n <= rows.Length; n++)
        {
            var longest = (long)length(rows[n - 1]);
            costs[n] = long.MaxValue;
            for (var begin = 0; begin < n; begin++)
            {
                var cost = costs[begin] + (n - begin) * longest + PartCost;
                if (cost < costs[n])
                {
                    (costs[n], begins[n]) = (cost, begin);
                }
            }
        }

        var parts = new Stack<T[]>();
        for (var end = rows.Length; end > 0; end = begins[end])
        {
            parts.Push(rows[begins[end]..end]);
        }

        return parts;
    }
}
