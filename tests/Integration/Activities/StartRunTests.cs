using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;
using Alt.Tests.Infra.Audits;
using Temporalio.Testing;

namespace Alt.Tests.Activities;

/// <summary>What a worker does with a run's device.</summary>
public sealed class StartRunTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string Id = "placed";

    private static RunConfig Config(RunDevice device) =>
        new() { Data = new() { Grammar = Repository.PathOf("infra", "experiments", "grammar.yaml") }, Device = device };

    [Fact]
    public async Task What_a_run_computes_on_is_recorded_when_it_starts()
    {
        await using var record = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await StartAsync(record, Config(RunDevice.Auto));
        Assert.Equal(ModelDevice.Choose(RunDevice.Auto), (await record.Ledger.RunAsync(Id)).Device);

        // It continues with the same config, whatever device that selects by now.
        await StartAsync(record, Config(RunDevice.Auto));
        var other = await Assert.ThrowsAsync<InputException>(() => StartAsync(record, Config(RunDevice.Cpu)));
        Assert.Contains("exists with another config", other.Message, StringComparison.Ordinal);
    }

    [FactWithoutGpu]
    public async Task A_run_from_a_GPU_does_not_continue_on_the_processor()
    {
        await using var record = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        var config = Config(RunDevice.Auto);
        var started = new RunEvent.RunStarted(
            Id, config, AltJson.Hash(config), await RunInputs.HashFilesAsync(config, CancellationToken.None), DateTimeOffset.UnixEpoch,
            Device: RunDevice.Cuda);
        await record.Ledger.RecordAsync(Id, s => s.Started, started);

        var error = await Assert.ThrowsAsync<InputException>(() => StartAsync(record, config));

        Assert.Contains("device: cuda, but libtorch finds no GPU", error.Message, StringComparison.Ordinal);
        Assert.Equal(RunDevice.Cuda, (await record.Ledger.RunAsync(Id)).Device);
    }

    [FactWithoutGpu]
    public async Task A_GPU_that_is_not_there_starts_no_run()
    {
        await using var record = await SmallRun.OpenAsync(await postgres.CreateDatabaseAsync());
        await Assert.ThrowsAsync<InputException>(() => StartAsync(record, Config(RunDevice.Cuda)));
        Assert.Equal(RunStatus.Missing, (await record.Ledger.RunAsync(Id)).Status);
    }

    private static Task StartAsync(SmallRun record, RunConfig config) =>
        new ActivityEnvironment().RunAsync(() => new PromptsActivities(record.Ledger, record.Artifacts).StartRunAsync(Id, config));
}
