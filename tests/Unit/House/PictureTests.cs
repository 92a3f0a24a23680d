using System.Text;
using System.Text.Json;
using Alt.Domain;
using Alt.Host.Reports;
using Alt.Infra;

namespace Alt.Tests.House;

/// <summary>docs/images/quickstart.svg shows the run of docs/images/quickstart.json, which <c>./alt report RUN --json</c> printed.</summary>
public sealed class PictureTests
{
    private const int Width = 360, Height = 240, Title = 24;

    private static readonly string[] Curves = ["groundTruthToxicShare", "perplexity", "dist2"];

    [Fact]
    public async Task The_picture_of_the_quickstart_is_current()
    {
        var report = JsonSerializer.Deserialize<RunReport>(
            await File.ReadAllTextAsync(Repository.PathOf("docs", "images", "quickstart.json")), AltJson.Options)!;

        await WrittenDocs.RequireAsync(Repository.PathOf("docs", "images", "quickstart.svg"), Draw(report));
    }

    private static string Draw(RunReport report)
    {
        var svg = new StringBuilder($"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Curves.Length * Width} {Height}" role="img" aria-label="The quickstart by iteration">
            <style>
              svg {"{ font: 12px system-ui, sans-serif; }"}
              .title {"{ font-weight: 600; fill: #1c2024; font-size: 14px; }"}
              .grid {"{ stroke: #e3e5e8; }"}
              .tick {"{ fill: #60646c; font-size: 11px; }"}
              .curve {"{ fill: none; stroke: #2f6fde; stroke-width: 2; }"}
              .dot {"{ fill: #2f6fde; }"}
            </style>
            <rect width="{Curves.Length * Width}" height="{Height}" fill="#ffffff"/>

            """);
        foreach (var (i, column) in Curves.Select(key => Column.All.Single(c => c.Key == key)).Index())
        {
            (int, double)[] points = [.. report.Iterations.Select(r => (r.Iteration, column.Value(r)!.Value))];
            svg.Append($"""<text class="title" x="{(i * Width) + 46}" y="20">{column.Title}</text>{"\n"}""");
            svg.Append(SvgChart.Draw(column.Title, points, column.Format, $"""x="{i * Width}" y="{Title}" width="{Width}" height="210" """));
            svg.Append('\n');
        }

        return svg.Append("</svg>\n").ToString();
    }
}
