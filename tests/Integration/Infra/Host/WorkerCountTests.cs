using System.Text.Json;
using Alt.Activities;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Host;
using Alt.Host.Supervisor;
using Alt.Infra;
using Alt.Workflows;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Client;
using Temporalio.Testing;
using TemporalServer;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class WorkerCountTests(FinishedRun calm, OneWorkersRun alone) : IClassFixture<OneWorkersRun>
{
    [Theory]
    [InlineData("1")]
    [InlineData("8")]
    public async Task A_run_ends_the_same_on_any_number_of_cores(string cores)
    {
        await using var installation = new Installation { Variables = { ["DOTNET_PROCESSOR_COUNT"] = cores } };

        var end = await installation.RunAsync("run", installation.Config, "--run-id", "cores", "--json");

        Assert.True(end.ExitCode == 0, end.Errors);
        AssertSame(calm.Report, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public async Task A_run_ends_the_same_with_any_number_of_workers(int workers)
    {
        await using var site = await WorkSite.OpenAsync();

        AssertSame(alone.Report, await site.RunAsync(workers));
    }

    [Fact]
    public async Task A_run_whose_chunks_come_in_another_order_ends_the_same()
    {
        await using var site = await WorkSite.OpenAsync();

        AssertSame(alone.Report, await site.RunShuffledAsync(new Random(1)));
    }

    private static void AssertSame(RunReport expected, RunReport actual)
    {
        Assert.Equal("finished", actual.State);
        Assert.Equal((expected.PoolHash, expected.WeightsHash), (actual.PoolHash, actual.WeightsHash));
        Assert.Equal(expected.Iterations.Select(i => i.Metrics), actual.Iterations.Select(i => i.Metrics));
    }
}

/// <summary>The run with one worker, which the others are compared with.</summary>
public sealed class OneWorkersRun : IAsyncLifetime
{
    public RunReport Report { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await using var site = await WorkSite.OpenAsync();
        Report = await site.RunAsync(workers: 1);
    }

    public Task DisposeAsync() => Task.CompletedTask;
}

/// <summary>
/// A home whose run is worked on in this process by a given number of workers. It has as many chunks as the largest such number.
/// </summary>
internal sealed class WorkSite : IAsyncDisposable
{
    private const string Run = "counted";

    private readonly Installation _installation;
    private readonly AltHome _home;
    private readonly LedgerConnection _record;
    private readonly RunConfig _config;

    private WorkSite(Installation installation, AltHome home, LedgerConnection record) =>
        (_installation, _home, _record, _config) = (installation, home, record, RunConfigFile.Read(
            installation.Config, ["sampling.chunkPrompts=4"]));

    public static async Task<WorkSite> OpenAsync()
    {
        var installation = new Installation();
        var home = new AltHome(installation.Home);
        return new WorkSite(installation, home, await LedgerConnection.OpenAsync(home, CancellationToken.None));
    }

    public async Task<RunReport> RunAsync(int workers)
    {
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = await _record.Cluster.EnsureDatabaseAsync("temporal") });
        new TemporalEndpoint(server.Address, Outside: false).Write(_home);
        var client = await ConnectAsync();
        using var ending = new CancellationTokenSource();
        Task[] working = [.. Enumerable.Range(0, workers).Select(_ => WorkAsync(ending.Token))];
        var run = client.ExecuteWorkflowAsync(
            (AltRunWorkflow w) => w.RunAsync(_config, null), new(AltRunWorkflow.IdOf(Run), TaskQueues.Main));
        try
        {
            await await Task.WhenAny([run, .. working]);
        }
        finally
        {
            await ending.CancelAsync();
            await Task.WhenAll(working).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await _record.Ledger.ReportAsync(Run);
    }

    /// <summary>Does what the workflows do, without them: begins a stage's chunks in their order.</summary>
    public async Task<RunReport> RunShuffledAsync(Random random)
    {
        var (ledger, artifacts) = (_record.Ledger, new ArtifactStore(_home.Artifacts));
        await using var calls = await _record.OpenCallsAsync(NullLoggerFactory.Instance, CancellationToken.None);
        using var policies = new Policies(artifacts, _home.Models);
        using var checkpoints = new Checkpoints();
        var classifiers = new Classifiers(artifacts);
        var (prompts, sampling) = (new PromptsActivities(ledger, artifacts), new SamplingActivities(ledger, artifacts, policies));
        var feedback = new FeedbackActivities(ledger, artifacts, new Judges(classifiers, checkpoints, calls));
        var training = new TrainingActivities(ledger, artifacts, policies);
        var evaluation = new EvaluationActivities(ledger, artifacts, policies, classifiers);
        var report = new ReportActivities(ledger);
        return await new ActivityEnvironment().RunAsync(async () =>
        {
            await prompts.StartRunAsync(Run, _config);
            await prompts.ImportAsync(Run);
            await feedback.TrainClassifiersAsync(Run);
            await training.PretrainAsync(Run);
            for (var number = 0; number <= _config.Iterations; number++)
            {
                var iteration = new IterationRef(Run, number);
                if (number > 0)
                {
                    var chunks = await prompts.DrawAsync(iteration);
                    await ShuffledAsync(chunks, chunk => sampling.SampleAsync(new(iteration, chunk)));
                    await sampling.CompleteSamplingAsync(iteration);
                    await ShuffledAsync(chunks, chunk => feedback.CollectAsync(new(iteration, chunk)));
                    await feedback.CompleteFeedbackAsync(iteration);
                    await new DataPoolActivities(ledger, artifacts).UpdateAsync(iteration);
                    await new SelectionActivities(ledger, artifacts).SelectAsync(iteration);
                    await training.TrainAsync(iteration);
                }

                await ShuffledAsync(await evaluation.PlanAsync(iteration), chunk => evaluation.EvaluateAsync(new(iteration, chunk)));
                await evaluation.CompleteEvaluationAsync(iteration);
                await report.FinishIterationAsync(iteration);
            }

            await report.FinishRunAsync(Run, stopped: false);
            return await ledger.ReportAsync(Run);
        });

        async Task ShuffledAsync(int chunks, Func<int, Task> work)
        {
            int[] order = [.. Enumerable.Range(0, chunks)];
            random.Shuffle(order);
            foreach (var chunk in order)
            {
                await work(chunk);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _record.DisposeAsync();
        await _installation.DisposeAsync();
    }

    private Task<TemporalClient> ConnectAsync() =>
        Alt.Host.TemporalConnection.ConnectAsync(_home, NullLoggerFactory.Instance, Task.Delay(Timeout.Infinite), CancellationToken.None);

    // Over its own connection, as a process has: the workers of one connection may not share a queue.
    private async Task WorkAsync(CancellationToken token) =>
        await Worker.RunAsync(await ConnectAsync(), _record, _home, NullLoggerFactory.Instance, WorkerSettings.Default, () => { }, token);
}
