using System.CommandLine;
using System.Text.Json;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt export</c>: a pool with its texts, in the shapes that other tools train on.</summary>
internal static class ExportCommand
{
    private static readonly string[] TrlTypes = ["prompt-only", "prompt-completion", "unpaired-preference", "preference"];

    public static Command Create()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var format = new Option<string>("--format")
        {
            Description = "jsonl: every sample with what is recorded of it. trl: a dataset type of the TRL library, as JSON lines.",
            HelpName = "trl|jsonl",
            Required = true
        };
        format.AcceptOnlyFromAmong("trl", "jsonl");
        var type = new Option<string>("--type")
        {
            Description = $"With trl: {string.Join(", ", TrlTypes)}.",
            HelpName = "TYPE",
            DefaultValueFactory = _ => TrlTypes[1]
        };
        type.AcceptOnlyFromAmong(TrlTypes);
        var iteration = new Option<int?>("--iteration") { Description = "Whose pool. Default: the last one.", HelpName = "K" };
        var file = new Option<string>("--out") { Description = "The file to write.", HelpName = "FILE", Required = true };
        var command = new Command("export", "Write a run's pool with its texts to a file that other tools read.")
        {
            run, format, type, iteration, file, json
        };
        command.SetAction(async (parsed, token) =>
        {
            var (name, home, path) = (RunId.Check(parsed.GetValue(run)!), AltHome.Find(), parsed.GetValue(file)!);
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var kind = parsed.GetValue(format) == "jsonl"
                ? ExportType.Samples
                : Enum.Parse<ExportType>(parsed.GetValue(type)!.Replace("-", "", StringComparison.Ordinal), ignoreCase: true);
            var rows = await new Export(record.Ledger, new ArtifactStore(home.Artifacts))
                .RowsAsync(name, parsed.GetValue(iteration), kind, token);
            var written = await WriteAsync(path, rows, token);
            new Output(parsed.GetValue(json))
                .Result(new { runId = name, file = path, rows = written }, console => console.WriteLine($"{written} rows in {path}"));
            return 0;
        });
        return command.WithExamples(
            "./alt export second --format trl --type preference --out pairs.jsonl",
            "./alt export second --format jsonl --out samples.jsonl");
    }

    private static Task<int> WriteAsync(string path, IAsyncEnumerable<object> rows, CancellationToken token) =>
        WholeFile.WriteAsync("--out", path, async stream =>
        {
            await using var writer = new StreamWriter(stream, leaveOpen: true);
            var written = 0;
            await foreach (var row in rows.WithCancellation(token))
            {
                await writer.WriteLineAsync(JsonSerializer.Serialize(row, AltJson.Options).AsMemory(), token);
                written++;
            }

            return written;
        });
}
