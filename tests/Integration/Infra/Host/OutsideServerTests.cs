using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

/// <summary>Runs with an external Temporal server: here the embedded one of another home.</summary>
[Collection(HostTests.Name)]
public sealed class OutsideServerTests(FinishedRun calm)
{
    [Fact]
    public async Task A_run_uses_the_server_that_it_is_given_in_ciphertext_and_waits_for_it_while_it_is_unreachable()
    {
        await using var elsewhere = new Installation();
        await using var installation = new Installation();
        await using var server = elsewhere.Start("server");
        var address = await elsewhere.ServerAddressAsync();
        installation.Variables["ALT_PAYLOAD_KEYS"] = $"key:{Convert.ToBase64String(new byte[32])}";

        await using var run = installation.Start("run", installation.Config, "--run-id", "abroad", "--temporal", address, "--json");
        await run.SaysAsync("iteration 0 (base model)");
        Assert.Empty(installation.Processes("server"));
        Assert.Contains("abroad: running", (await installation.RunAsync("status", "abroad")).Output, StringComparison.Ordinal);
        server.Kill();
        await server.EndAsync();
        await using var again = elsewhere.Start("server", "--port", address.Split(':')[1]);

        var end = await run.EndAsync();
        Assert.True(end.ExitCode == 0, end.Errors);
        Assert.Equal(calm.Report.WeightsHash, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!.WeightsHash);
        Assert.Empty(installation.Processes());
    }

    [Fact]
    public async Task A_run_continues_without_its_follower_where_others_serve_it()
    {
        await using var elsewhere = new Installation();
        await using var installation = new Installation();
        await using var server = elsewhere.Start("server");
        var address = await elsewhere.ServerAddressAsync();
        await using var worker = installation.Start("worker", "--temporal", address);
        await using var run = installation.Start("run", installation.Config, "--run-id", "abroad", "--temporal", address);
        await run.SaysAsync("iteration 0 (base model)");

        run.Kill();

        await Wait.ForAsync(
            async () => (await installation.RunAsync("status", "abroad")).Output.Contains("abroad: finished", StringComparison.Ordinal),
            "the end of the run");
    }

    [Fact]
    public async Task A_second_run_of_the_home_cannot_use_another_server()
    {
        await using var installation = new Installation();
        await using var run = installation.Start("run", installation.Config, "--run-id", "home");
        await run.SaysAsync(" · ");

        var end = await installation.RunAsync("run", installation.Config, "--run-id", "abroad", "--temporal", "127.0.0.1:1");

        Assert.Equal(2, end.ExitCode);
        Assert.Contains("Temporal server 127.0.0.1:1: another run of this folder is under way", end.Errors, StringComparison.Ordinal);
        Assert.Contains("no run 'abroad'", (await installation.RunAsync("status", "abroad")).Errors, StringComparison.Ordinal);
    }
}
