using System.CommandLine;
using System.Globalization;
using Alt.Bench;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Alt.Infra.Audits;
using Alt.Model.Network;
using Microsoft.Extensions.Logging.Abstractions;
using Spectre.Console;
using Temporalio.Client;
using TemporalServer;

namespace Alt.Host.Commands;

/// <summary><c>alt bench</c>: how fast this machine is, each figure beside the ceiling that the same run measured.</summary>
internal static class BenchCommand
{
    private const string Database = "bench", ServerDatabase = "bench_temporal";

    /// <summary>One benchmark's result as scripts read it.</summary>
    private sealed record BenchResult(string Name, object Figures);

    public static Command Create()
    {
        var name = new Argument<string>("NAME")
        {
            Description = "sampling or training (GPT-2 with 124 million random weights, or --model), "
            + "events (the event store), audit (questions to two million samples; takes minutes and 4 GB of disk), feedback (calls to a "
            + "judge), or overhead (what durable orchestration costs per activity)."
        };
        name.AcceptOnlyFromAmong("sampling", "training", "events", "audit", "feedback", "overhead");
        var run = new Option<string?>("--run")
        {
            Description = "With overhead: of this finished run, the share of its time in which no activity was at work.",
            HelpName = "RUN"
        };
        var samples = new Option<int>("--samples")
        {
            Description = "With audit: how many samples to generate.",
            HelpName = "N",
            DefaultValueFactory = _ => 2_000_000
        };
        var model = new Option<string>("--model")
        {
            Description = "With sampling and training: the shape whose random weights are measured.",
            HelpName = "SHAPE",
            DefaultValueFactory = _ => "gpt2"
        };
        model.AcceptOnlyFromAmong([.. DecoderShapes.Names]);
        var device = new Option<string>("--device")
        {
            Description = "With sampling and training: where the model is, cpu, cuda or cuda:N.",
            HelpName = "DEVICE",
            DefaultValueFactory = _ => "cpu"
        };
        var json = Options.Json();
        var command = new Command(
            "bench",
            "Measure sampling, training, the event store, calls to a judge or "
            + "orchestration on this machine.") { name, run, samples, model, device, json };
        command.SetAction(async (parsed, token) =>
        {
            var output = new Output(parsed.GetValue(json));
            var benchmark = parsed.GetValue(name)!;
            object figures = benchmark switch
            {
                "sampling" => new SamplingBenchmark(
                    DecoderShapes.Of(parsed.GetValue(model)!), ModelDevice.Of(parsed.GetValue(device)!), progress: output.Say).Run(),
                "training" =>
                    new TrainingBenchmark(DecoderShapes.Of(parsed.GetValue(model)!), ModelDevice.Of(parsed.GetValue(device)!))
                        .Run(progress: output.Say),
                "events" => await WithDatabaseAsync(Database, connection => EventsBenchmark.RunAsync(connection, token: token), token),
                "audit" => await AuditAsync(AltHome.Find(), parsed.GetValue(samples), output.Say, token),
                "feedback" => await FeedbackAsync(AltHome.Find(), output.Say, token),
                _ when parsed.GetValue(run) is { } id => await OverheadOfAsync(AltHome.Find(), id, token),
                _ => await WithDatabaseAsync(
                    ServerDatabase, connection =>
                        OverheadBenchmark.RunAsync(connection, TemporalConnection.RuntimeOf(NullLoggerFactory.Instance), output.Say, token),
                    token),
            };
            output.Result(new BenchResult(benchmark, figures), console => Write(console, figures));
            return 0;
        });
        return command.WithExamples(
            "./alt bench sampling", "./alt bench training --model gpt2-large --device cuda --json", "./alt bench events --json",
            "./alt bench overhead --run quickstart-1121-1002");
    }

    private static async Task<RunOverheadFigures> OverheadOfAsync(AltHome home, string run, CancellationToken token)
    {
        if (RunServices.IsOwned(home))
        {
            using var logs = Logs.Open(home, "bench");
            return await OverheadBenchmark.OfRunAsync(
                await TemporalConnection.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), token), run);
        }

        // No run is under way, so no server runs: this one is started only to read the history.
        return await WithDatabaseAsync(ServerCommand.Database, async connection =>
        {
            await using var server = await EmbeddedServer.StartAsync(new() { ConnectionString = connection }, token);
            return await OverheadBenchmark.OfRunAsync(await TemporalClient.ConnectAsync(new(server.Address)), run);
        }, token);
    }

    /// <summary>In a database and a folder of its own, which are deleted afterwards.</summary>
    private static async Task<AuditFigures> AuditAsync(AltHome home, int samples, Action<string> progress, CancellationToken token)
    {
        if (samples < 1)
        {
            throw new InputException($"--samples {samples}: expected 1 or more");
        }

        await using var cluster = await PostgresCluster.JoinAsync(home.Root, token);
        var (database, folder) = ($"bench_audit_{Guid.NewGuid():N}", Directory.CreateTempSubdirectory("alt-bench-"));
        try
        {
            var artifacts = new ArtifactStore(folder.FullName);
            await using var ledger = await Ledger.OpenAsync(await cluster.EnsureDatabaseAsync(database, token), artifacts, token);
            return await new AuditBenchmark(ledger, artifacts, samples).RunAsync(progress, token);
        }
        finally
        {
            await cluster.DropAsync(database);
            folder.Delete(recursive: true);
        }
    }

    /// <summary>In a database of its own, since what it asks would be answered from the cache the next time.</summary>
    private static async Task<FeedbackFigures> FeedbackAsync(AltHome home, Action<string> progress, CancellationToken token)
    {
        await using var cluster = await PostgresCluster.JoinAsync(home.Root, token);
        var database = $"bench_feedback_{Guid.NewGuid():N}";
        try
        {
            return await new FeedbackBenchmark(await cluster.EnsureDatabaseAsync(database, token), progress).RunAsync(token);
        }
        finally
        {
            await cluster.DropAsync(database);
        }
    }

    private static async Task<T> WithDatabaseAsync<T>(string database, Func<string, Task<T>> measure, CancellationToken token)
    {
        await using var cluster = await PostgresCluster.JoinAsync(AltHome.Find().Root, token);
        return await measure(await cluster.EnsureDatabaseAsync(database, token));
    }

    private static void Write(IAnsiConsole console, object figures)
    {
        if (figures is AuditFigures audit)
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{audit.Samples:N0} samples; ingested {audit.IngestedSamplesPerSecond:N0} samples/s and their judgements "
                + $"{audit.JudgedSamplesPerSecond:N0}/s, both together by two writers "
                + $"{audit.SamplesWithJudgementsPerSecond:N0} samples/s"));
            Listings.WriteTable(console, new Listing(
                ["question", "median ms", "slowest ms", "served by"],
                [.. audit.Questions.Select(q =>
                    (IReadOnlyList<object?>)[q.Question, Math.Round(q.Milliseconds, 2), Math.Round(q.SlowestMilliseconds, 2), string.Join(
                        ", ", q.Indexes)])]));
            return;
        }

        if (figures is SamplingFigures sampling)
        {
            Listings.WriteTable(console, new Listing(
                ["batch", "type", "tokens/s", "GFLOP/s", "packed products", "libtorch's products", "ratio"],
                [.. sampling.Cases.Select(c => (IReadOnlyList<object?>)[c.Batch, c.ElementType, Math.Round(c.TokensPerSecond), Math.Round(
                    c.Gflops), c.PackedGflops is { } packed ? Math.Round(packed) : null, Math.Round(c.LibtorchGflops), Math.Round(c.Ratio, 3)])]));
            if (sampling.SharedPrompt is { } shared)
            {
                console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{shared.Generations} generations of one prompt of {shared.PromptTokens} tokens: {shared.Speedup:F1} times as "
                    + $"fast as of as many prompts"));
            }

            return;
        }

        var table = new Table().AddColumn("figure").AddColumn(new TableColumn("value").RightAligned());
        foreach (var property in figures.GetType().GetProperties())
        {
            if (property.GetValue(figures) is { } value)
            {
                table.AddRow(
                    property.Name, Convert.ToDouble(value, CultureInfo.InvariantCulture).ToString("N2", CultureInfo.InvariantCulture));
            }
        }

        console.Write(table);
    }
}
