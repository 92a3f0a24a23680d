namespace Alt.Domain;

public static class Median
{
    /// <summary>The middle value; of an even number of values the upper of the two in the middle.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are no values.</exception>
    public static double Of(IReadOnlyCollection<double> values) => values.Order().ElementAt(values.Count / 2);
}
