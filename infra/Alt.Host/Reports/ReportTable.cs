using System.Globalization;
using Alt.Domain;
using Spectre.Console;

namespace Alt.Host.Reports;

/// <summary>The report as a table: one line per figure, one column per iteration.</summary>
internal static class ReportTable
{
    public static void Write(IAnsiConsole console, RunReport report, string page)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn("iteration");
        foreach (var iteration in report.Iterations)
        {
            var number = iteration.Iteration == 0 ? "0 (base)" : iteration.Iteration.ToString(CultureInfo.InvariantCulture);
            table.AddColumn(
                new TableColumn(Markup.Escape(iteration.SharedFrom is { } parent ? $"{number} of {parent}" : number)).RightAligned());
        }

        foreach (var column in Column.In(report))
        {
            table.AddRow([Markup.Escape(column.Title), .. report.Iterations.Select(column.Text)]);
        }

        console.Write(table);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"run {report.RunId}: {report.State}, {report.Seconds:0} s of work"));
        if (report.Failure is { } failure)
        {
            console.WriteLine($"failed: {failure}; once that is fixed: ./alt retry {report.RunId}");
        }

        console.WriteLine($"pool {Short(report.PoolHash)}, weights {Short(report.WeightsHash)}");
        console.WriteLine($"page with curves: {page}");
    }

    private static string Short(string? hash) => hash is { Length: > 12 } ? hash[..12] : hash ?? "none yet";
}
