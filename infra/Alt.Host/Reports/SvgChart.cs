using System.Globalization;
using System.Net;
using System.Text;

namespace Alt.Host.Reports;

/// <summary>A line chart over iterations as inline SVG. Colours are CSS variables of the page, so that it follows light and dark.</summary>
internal static class SvgChart
{
    private const double Width = 360, Height = 210, Left = 46, Right = 14, Top = 12, Bottom = 28;
    private const int Ticks = 4;

    /// <param name="points">Iterations and values, in order.</param>
    /// <param name="place">Further attributes: where it lies in a picture of several.</param>
    public static string Draw(string title, IReadOnlyList<(int X, double Y)> points, string format, string place = "")
    {
        var (low, high, step) = Scale(points.Min(p => p.Y), points.Max(p => p.Y));
        var (first, last) = (points[0].X, Math.Max(points[^1].X, points[0].X + 1));
        var svg = new StringBuilder();
        svg.Append(
            Invariant($"""<svg {place}viewBox="0 0 {Width} {Height}" role="img" aria-label="{WebUtility.HtmlEncode(title)} by iteration">"""));
        for (var value = low; value <= high + (step / 2); value += step)
        {
            svg.Append(Invariant($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(value):0.#}" y2="{Y(value):0.#}"/>"""));
            svg.Append(
                Invariant($"""<text class="tick" x="{Left - 6}" y="{Y(value) + 3.5:0.#}" text-anchor="end">{Label(value, step)}</text>"""));
        }

        foreach (var x in Enumerable.Range(first, last - first + 1).Where(x => (x - first) % (((last - first) / 10) + 1) == 0))
        {
            svg.Append(Invariant($"""<text class="tick" x="{X(x):0.#}" y="{Height - 8}" text-anchor="middle">{x}</text>"""));
        }

        svg.Append(Invariant(
            $"""<polyline class="curve" points="{string.Join(' ', points.Select(p => Invariant($"{X(p.X):0.#},{Y(p.Y):0.#}")))}"/>"""));
        foreach (var (x, y) in points)
        {
            svg.Append(Invariant(
                $"""<circle class="dot" cx="{X(x):0.#}" cy="{Y(y):0.#}" r="3.5"><title>iteration {x}: {y.ToString(format, CultureInfo.InvariantCulture)}</title></circle>"""));
        }

        return svg.Append("</svg>").ToString();

        double X(double x) => Left + ((x - first) / (last - first) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((y - low) / (high - low) * (Height - Top - Bottom));
    }

    /// <summary>An axis of round numbers around the values. It starts at zero unless the values are all far from it.</summary>
    private static (double Low, double High, double Step) Scale(double minimum, double maximum)
    {
        var floor = minimum >= 0 && minimum < 0.6 * maximum ? 0 : minimum;
        var range = Math.Max(maximum - floor, maximum == 0 ? 1 : Math.Abs(maximum) * 0.1);
        var magnitude = Math.Pow(10, Math.Floor(Math.Log10(range / Ticks)));
        var step = new[] { 1, 2, 5, 10 }.Select(m => m * magnitude).First(s => s * Ticks >= range);
        var low = Math.Floor(floor / step) * step;
        return (low, Math.Max(Math.Ceiling(maximum / step) * step, low + step), step);
    }

    private static string Label(double value, double step)
    {
        var decimals = Math.Max(0, -(int)Math.Floor(Math.Log10(step)));
        return value.ToString($"F{decimals}", CultureInfo.InvariantCulture);
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
