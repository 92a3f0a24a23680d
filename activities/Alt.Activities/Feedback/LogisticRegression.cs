namespace Alt.Activities.Feedback;

/// <summary>
/// Logistic regression on labels in [0, 1]: minimises the summed cross-entropy plus l2/2 times the squared weights, the bias left free.
/// L-BFGS on one thread and in a fixed order, so equal input gives equal bits.
/// </summary>
internal static class LogisticRegression
{
    private const int History = 10;
    private const int MostIterations = 200;

    // Relative to the first gradient; further digits change no ranking.
    private const double Tolerance = 1e-3;

    /// <returns>One weight for each column, and the bias after them.</returns>
    public static double[] Fit(SparseRows rows, IReadOnlyList<double> labels, double l2)
    {
        var n = rows.Width + 1;
        var point = new double[n];
        var gradient = new double[n];
        var loss = Evaluate(rows, labels, l2, point, gradient);
        var goal = Tolerance * Math.Sqrt(Dot(gradient, gradient));
        var steps = new List<(double[] S, double[] Y, double Rho)>();

        for (var iteration = 0; iteration < MostIterations && Math.Sqrt(Dot(gradient, gradient)) > goal; iteration++)
        {
            var direction = Direction(gradient, steps);
            var slope = Dot(gradient, direction);
            var nextPoint = new double[n];
            var nextGradient = new double[n];
            var nextLoss = double.PositiveInfinity;

            // Halve the step until the loss falls enough (Armijo).
            for (var length = 1.0; length > 1e-10; length /= 2)
            {
                for (var i = 0; i < n; i++)
                {
                    nextPoint[i] = point[i] + length * direction[i];
                }

                nextLoss = Evaluate(rows, labels, l2, nextPoint, nextGradient);
                if (nextLoss <= loss + 1e-4 * length * slope)
                {
                    break;
                }
            }

            if (nextLoss >= loss)
            {
                break; // Rounding is all that is left.
            }

            Remember(steps, Difference(nextPoint, point), Difference(nextGradient, gradient));
            (point, gradient, loss) = (nextPoint, nextGradient, nextLoss);
        }

        return point;
    }

    public static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));

    private static double Evaluate(SparseRows rows, IReadOnlyList<double> labels, double l2, double[] point, double[] gradient)
    {
        var loss = 0.0;
        for (var i = 0; i < rows.Width; i++)
        {
            loss += l2 / 2 * point[i] * point[i];
            gradient[i] = l2 * point[i];
        }

        gradient[^1] = 0;
        for (var row = 0; row < rows.Count; row++)
        {
            var z = rows.Dot(row, point) + point[^1];
            // Cross-entropy of the label and sigmoid(z), in the form that cannot overflow.
            loss += Math.Max(z, 0) - labels[row] * z + Math.Log(1 + Math.Exp(-Math.Abs(z)));
            var error = Sigmoid(z) - labels[row];
            for (var i = rows.Starts[row]; i < rows.Starts[row + 1]; i++)
            {
                gradient[rows.Columns[i]] += error * rows.Values[i];
            }

            gradient[^1] += error;
        }

        return loss;
    }

    // The two-loop recursion (Nocedal & Wright, algorithm 7.4).
    private static double[] Direction(double[] gradient, List<(double[] S, double[] Y, double Rho)> steps)
    {
        var direction = gradient.Select(g => -g).ToArray();
        if (steps.Count == 0)
        {
            Scale(direction, 1 / Math.Max(1, Math.Sqrt(Dot(gradient, gradient))));
            return direction;
        }

        var alphas = new double[steps.Count];
        for (var i = steps.Count - 1; i >= 0; i--)
        {
            alphas[i] = steps[i].Rho * Dot(steps[i].S, direction);
            AddScaled(direction, -alphas[i], steps[i].Y);
        }

        var (_, y, rho) = steps[^1];
        Scale(direction, 1 / (rho * Dot(y, y)));
        for (var i = 0; i < steps.Count; i++)
        {
            AddScaled(direction, alphas[i] - steps[i].Rho * Dot(steps[i].Y, direction), steps[i].S);
        }

        return direction;
    }

    private static void Remember(List<(double[] S, double[] Y, double Rho)> steps, double[] s, double[] y)
    {
        var curvature = Dot(s, y);
        if (curvature <= 1e-12)
        {
            return; // Keeps the approximate Hessian positive.
        }

        if (steps.Count == History)
        {
            steps.RemoveAt(0);
        }

        steps.Add((s, y, 1 / curvature));
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    private static void AddScaled(double[] target, double factor, double[] addend)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] += factor * addend[i];
        }
    }

    private static void Scale(double[] target, double factor)
    {
        for (var i = 0; i < target.Length; i++)
        {
            target[i] *= factor;
        }
    }

    private static double[] Difference(double[] a, double[] b)
    {
        var difference = new double[a.Length];
        for (var i = 0; i < a.Length; i++)
        {
            difference[i] = a[i] - b[i];
        }

        return difference;
    }
}
