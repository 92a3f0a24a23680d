using System.CommandLine;
using System.Globalization;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt erase</c>: takes a prompt's texts out of everything that is stored.</summary>
internal static class EraseCommand
{
    public static Command Create()
    {
        var prompt = new Option<string>("--prompt")
        {
            Description = "The prompt: RUN/PROMPT, its ordinal as in sample ids.",
            HelpName = "ID",
            Required = true
        };
        var yes = new Option<bool>("--yes") { Description = "Erase. Without this the command only lists what descends from the prompt." };
        var json = Options.Json();
        var command = new Command(
            "erase",
            "Remove a prompt, its generations and their judgements from all artifacts permanently. The "
            + "record's arithmetic stays.") { prompt, yes, json };
        command.SetAction(async (parsed, token) =>
        {
            var (run, ordinal) = Parse(parsed.GetValue(prompt)!);
            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            if (RunServices.IsOwned(home))
            {
                throw new InputException("a run is under way; stop it first, and erase when it has ended its iteration");
            }

            using var logs = Logs.Open(home, "erase");
            await using var calls = await record.OpenCallsAsync(logs, token);
            var erasure = new Erasure(record.Ledger, new ArtifactStore(home.Artifacts), calls);
            var report = parsed.GetValue(yes)
                ? await erasure.EraseAsync(run, ordinal, DateTimeOffset.UtcNow, token)
                : await erasure.PlanAsync(run, ordinal, token);
            new Output(parsed.GetValue(json)).Result(report, console => Write(console, report, parsed.GetValue(prompt)!));
            return 0;
        });
        return command.WithExamples("./alt erase --prompt second/17", "./alt erase --prompt second/17 --yes");
    }

    private static (string Run, int Prompt) Parse(string id) =>
        id.Split('/') is [var run, var prompt] && int.TryParse(prompt, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)
            ? (RunId.Check(run), ordinal)
            : throw new InputException(
                $"--prompt {id}: expected RUN/PROMPT, such as second/17; the prompt's number is the third part of a sample's id");

    private static void Write(IAnsiConsole console, ErasureReport report, string id)
    {
        foreach (var run in report.Runs)
        {
            var samples = run.Samples.Select(s => $"{s.Value} samples in iteration {s.Key}").DefaultIfEmpty("no samples");
            var trained = run.TrainedIn.Count == 0 ? "no iteration" : $"iterations {string.Join(", ", run.TrainedIn)}";
            console.WriteLine($"run {run.Run}: {string.Join(", ", samples)}; trained on in {trained}");
            foreach (var (iteration, weights) in run.Policies)
            {
                console.WriteLine($"  policy of iteration {iteration} has learnt from them and stays as it is: {weights}");
            }

            if (run.BaseModel)
            {
                console.WriteLine("  the base model was pretrained on the prompt's text and stays as it is");
            }
        }

        console.WriteLine(report.Done
            ? $"erased from {report.Artifacts} artifacts; backups that were made before still hold the texts"
            : $"{report.Artifacts} artifacts hold the texts; ./alt erase --prompt {id} --yes erases them, which cannot be undone");
    }
}
