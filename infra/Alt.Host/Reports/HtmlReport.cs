using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Host.Reports;

/// <summary>The report as one self-contained page: figures, curves, the table and the config. Nothing is loaded from elsewhere.</summary>
internal static class HtmlReport
{
    /// <returns>Path of the page.</returns>
    public static string Write(AltHome home, RunReport report)
    {
        Directory.CreateDirectory(home.Reports);
        var path = Path.Combine(home.Reports, $"{report.RunId}.html");
        File.WriteAllText($"{path}.part", Page(report));
        File.Move($"{path}.part", path, overwrite: true);
        return path;
    }

    public static string Page(RunReport report)
    {
        var page = new StringBuilder();
        page.Append($"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(report.RunId)} · ALT</title>
            <style>{Style}</style>
            </head>
            <body>
            <main>
            <header>
            <h1>{Text(report.RunId)}</h1>
            <p><span class="state {Text(report.State)}">{Text(report.State)}</span> {Text(Summary(report))}</p>
            {(report.Failure is { } failure ? $"<p class=\"failure\">{Text(failure)}; once that is fixed: <code>./alt retry {Text(report.RunId)}</code></p>" : "")}
            </header>

            """);
        AddTiles(page, report);
        AddCharts(page, report);
        AddTable(page, report);
        page.Append($"""
            <section>
            <h2>What decided the result</h2>
            <dl>
            <dt>pool</dt><dd><code>{Text(report.PoolHash ?? "none yet")}</code></dd>
            <dt>weights</dt><dd><code>{Text(report.WeightsHash ?? "none yet")}</code></dd>
            </dl>
            <details><summary>config</summary><pre>{Text(JsonSerializer.Serialize(report.Config, AltJson.Indented))}</pre></details>
            </section>
            </main>
            </body>
            </html>

            """);
        return page.ToString();
    }

    private static string Summary(RunReport report) => string.Create(CultureInfo.InvariantCulture,
        $"{report.Config.Name}, seed {report.Config.Seed}, {Math.Max(0, report.Iterations.Count - 1)} of {report.Config.Iterations} "
        + $"iterations, {report.Seconds:#,##0} s of "
        + $"work{(report.Origin is { } origin ? $"; a fork of {origin.Run} at iteration {origin.Iteration}, whose earlier iterations are shown" : "")}");

    /// <summary>Before and after, for the figures that decide whether a run is a success.</summary>
    private static void AddTiles(StringBuilder page, RunReport report)
    {
        if (report.Iterations is not [var before, .., var after])
        {
            return;
        }

        page.Append("<section class=\"tiles\">\n");
        foreach (var column in Column.In(report).Where(c => c.Shown == Shown.Tile))
        {
            page.Append(
                $"""<div class="tile"><span class="name">{Text(column.Title)}</span><span class="figure">{column.Text(after)}</span><span class="before">from {column.Text(before)}</span></div>{"\n"}""");
        }

        page.Append("</section>\n");
    }

    private static void AddCharts(StringBuilder page, RunReport report)
    {
        page.Append("<section class=\"charts\">\n");
        foreach (var column in Column.In(report).Where(c => c.Shown >= Shown.Curve))
        {
            (int, double)[] points = [.. report.Iterations.Where(i => column.Value(i) is not null)
                .Select(i => (i.Iteration, column.Value(i)!.Value))];
            page.Append(
                $"""<figure><figcaption><b>{Text(column.Title)}</b><br>{Text(column.Meaning)}</figcaption>{SvgChart.Draw(column.Title, points, column.Format)}</figure>{"\n"}""");
        }

        page.Append("</section>\n");
    }

    private static void AddTable(StringBuilder page, RunReport report)
    {
        var columns = Column.In(report);
        page.Append("<section class=\"table\"><table>\n<thead><tr><th>iteration</th>");
        foreach (var column in columns)
        {
            page.Append($"""<th title="{Text(column.Meaning)}">{Text(column.Title)}</th>""");
        }

        page.Append("</tr></thead>\n<tbody>\n");
        foreach (var iteration in report.Iterations)
        {
            page.Append(CultureInfo.InvariantCulture, $"<tr><th>{iteration.Iteration}{(iteration.Iteration == 0 ? " (base)" : "")}</th>");
            foreach (var column in columns)
            {
                page.Append($"<td>{column.Text(iteration)}</td>");
            }

            page.Append("</tr>\n");
        }

        page.Append("</tbody></table></section>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private const string Style = """

        :root { color-scheme: light dark; --ink: #1c2024; --quiet: #60646c; --line: #e3e5e8; --paper: #fbfbfc; --card: #ffffff; --curve: #2f6fde; --good: #18794e; --bad: #c62a2f; }
        @media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --quiet: #a0a4ab; --line: #33373d; --paper: #111315; --card: #191c1f; --curve: #74a7ff; --good: #3dd68c; --bad: #ff9592; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; }
        header p { color: var(--quiet); margin: 0 0 24px; }
        .state { color: var(--card); background: var(--quiet); border-radius: 99px; padding: 2px 10px; font-size: 13px; margin-right: 6px; }
        .state.finished { background: var(--good); } .state.failed { background: var(--bad); }
        .failure { color: var(--bad); }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin-bottom: 12px; }
        .tile, figure { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin: 0; }
        .tile span { display: block; } .name, .before, figcaption { color: var(--quiet); font-size: 13px; }
        .figure { font-size: 28px; font-variant-numeric: tabular-nums; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 12px; }
        figcaption b { color: var(--ink); font-size: 14px; } svg { width: 100%; height: auto; display: block; margin-top: 6px; }
        .grid { stroke: var(--line); } .tick { fill: var(--quiet); font-size: 11px; } .curve { fill: none; stroke: var(--curve); stroke-width: 2; } .dot { fill: var(--curve); }
        .table { overflow-x: auto; margin-top: 24px; } table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
        th, td { padding: 7px 9px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; } thead th { color: var(--quiet); font-weight: 500; white-space: normal; vertical-align: bottom; } th:first-child { text-align: left; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0 0 12px; } dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
        code, pre { font: 12.5px/1.5 ui-monospace, monospace; } pre { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; overflow-x: auto; } summary { cursor: pointer; }

        """;
}
