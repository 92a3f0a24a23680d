using System.Text.Json.Nodes;
using Temporalio.Client;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class ServerCommandTests
{
    [Fact]
    public async Task A_server_alone_says_where_it_listens_and_ends_cleanly_at_an_interrupt()
    {
        await using var installation = new Installation();
        await using var program = installation.Start("server", "--port", "0", "--http-port", "0", "--json");
        var file = Path.Combine(installation.Home, "temporal.address");
        await Wait.ForAsync(() => File.Exists(file) || program.HasEnded, "an address");
        Assert.False(program.HasEnded, program.Errors);
        var address = (await File.ReadAllTextAsync(file)).Trim();

        Assert.True((await TemporalClient.ConnectAsync(new(address))).Connection.IsConnected);
        var second = await installation.RunAsync("server", "--port", "0");
        await program.InterruptAsync();
        var end = await program.EndAsync();

        Assert.Equal(2, second.ExitCode);
        Assert.Contains(address, second.OnlyLine, StringComparison.Ordinal);
        Assert.Equal(0, end.ExitCode);
        Assert.Contains("for laptops and tests, not for production", end.Errors, StringComparison.Ordinal);
        Assert.Contains(
            "for laptops and tests, not for production",
            await File.ReadAllTextAsync(Path.Combine(installation.Home, "logs", "server.log")), StringComparison.Ordinal);
        var listening = JsonNode.Parse(end.Output)!;
        Assert.Equal(address, (string?)listening["address"]);
        Assert.StartsWith("127.0.0.1:", (string?)listening["httpAddress"], StringComparison.Ordinal);
        Assert.Empty(installation.Processes());
    }
}
