using System.Collections;
using System.Globalization;
using System.Text.Json;
using Alt.Infra;
using Alt.Infra.Audits;
using Spectre.Console;

namespace Alt.Host;

/// <summary>Rows of values as a table for people and as CSV (RFC 4180).</summary>
internal static class Listings
{
    public static void WriteTable(IAnsiConsole console, Listing listing)
    {
        var table = new Table { Border = TableBorder.Simple };
        foreach (var column in listing.Columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)));
        }

        foreach (var row in listing.Rows)
        {
            table.AddRow([.. row.Select(value => Markup.Escape(Text(value)))]);
        }

        console.Write(table);
    }

    public static void WriteCsv(TextWriter writer, Listing listing)
    {
        WriteLine(listing.Columns);
        foreach (var row in listing.Rows)
        {
            WriteLine(row.Select(Text));
        }

        void WriteLine(IEnumerable<string> cells) => writer.Write(string.Join(',', cells.Select(Quote)) + "\r\n");
    }

    public static string Text(object? value) => value switch
    {
        null => "",
        string text => text,
        bool truth => truth ? "true" : "false",
        DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
        JsonElement json => json.GetRawText(),
        IEnumerable => JsonSerializer.Serialize(value, AltJson.Options),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Quote(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
