using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Infra;
using Alt.Tests.Workflows;
using Alt.Workflows;
using Temporalio.Client;

namespace Alt.Tests.Infra.Temporal;

/// <summary>Workflows in C# as Temporal's own TypeScript client drives them.</summary>
public sealed class ForeignClientTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private readonly NodeProject _node = new("Conformance");

    [Fact]
    public Task A_workflow_is_started_signalled_queried_updated_and_awaited() => temporal.RunWorkerAsync(
        options => options.AddWorkflow<Basket>(),
        async queue =>
        {
            var seen = await RunAsync("basket.js", new { address = temporal.Server.Address, queue });

            Assert.Equal(
                """{"put":2,"rejection":"stone is no fruit","count":2,"second":"plum","missing":"QueryNotRegisteredError","result":"apple, plum"}""",
                seen.ToJsonString());
        });

    [Fact]
    public async Task A_run_starts_with_its_config_as_JSON_and_its_histories_replay()
    {
        const string Run = "foreign";
        await using var installation = new Installation();
        await using var server = installation.Start("server", "--port", "0");
        var address = await installation.ServerAddressAsync();
        await using var worker = installation.Start("worker");
        var config = RunConfigFile.Read(installation.Config, []);

        var last = await RunAsync(
            "run.js", new { address, id = AltRunWorkflow.IdOf(Run), config = JsonSerializer.SerializeToNode(config, AltJson.Options) });

        Assert.Equal("closing", (string?)last["phase"]);
        Assert.Contains($"{Run}: finished", (await installation.RunAsync("status", Run)).Output, StringComparison.Ordinal);
        var client = await TemporalClient.ConnectAsync(new(address));
        foreach (var id in new[] { AltRunWorkflow.IdOf(Run), AltRunWorkflow.IterationIdOf(Run, 1) })
        {
            await HistoryTests.ReplayAsync(await client.GetWorkflowHandle(id).FetchHistoryAsync());
        }
    }

    private Task<JsonNode> RunAsync(string script, object input) =>
        Task.Run(() => JsonNode.Parse(_node.Run(script, JsonSerializer.Serialize(input, JsonSerializerOptions.Web)))!);
}
