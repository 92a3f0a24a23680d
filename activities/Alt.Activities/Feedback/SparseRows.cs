namespace Alt.Activities.Feedback;

/// <summary>Rows of features in compressed form: row i has the entries from <c>Starts[i]</c> to <c>Starts[i + 1]</c>.</summary>
internal sealed record SparseRows(int[] Starts, int[] Columns, float[] Values, int Width)
{
    public int Count => Starts.Length - 1;

    public double Dot(int row, double[] weights)
    {
        var sum = 0.0;
        for (var i = Starts[row]; i < Starts[row + 1]; i++)
        {
            sum += Values[i] * weights[Columns[i]];
        }

        return sum;
    }

    /// <summary>Some of the rows, in the given order.</summary>
    public SparseRows Only(int[] rows)
    {
        var starts = new int[rows.Length + 1];
        var columns = new List<int>();
        var values = new List<float>();
        for (var i = 0; i < rows.Length; i++)
        {
            var (from, to) = (Starts[rows[i]], Starts[rows[i] + 1]);
            columns.AddRange(Columns.AsSpan(from, to - from));
            values.AddRange(Values.AsSpan(from, to - from));
            starts[i + 1] = columns.Count;
        }

        return new SparseRows(starts, [.. columns], [.. values], Width);
    }
}
