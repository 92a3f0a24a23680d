using System.Text.Json;

namespace Alt.Tests.Infra.Host;

[Collection(HostTests.Name)]
public sealed class CommandLineTests
{
    [Theory]
    [InlineData]
    [InlineData("run")]
    [InlineData("status")]
    [InlineData("report")]
    [InlineData("sample")]
    [InlineData("retry")]
    [InlineData("fork")]
    [InlineData("replay")]
    [InlineData("what-if")]
    [InlineData("bench")]
    [InlineData("audit")]
    [InlineData("audit", "sample")]
    [InlineData("audit", "why-not")]
    [InlineData("audit", "pool")]
    [InlineData("audit", "diff")]
    [InlineData("audit", "cost")]
    [InlineData("audit", "events")]
    [InlineData("audit", "sql")]
    [InlineData("audit", "rebuild")]
    [InlineData("verify")]
    [InlineData("export")]
    [InlineData("erase")]
    [InlineData("backup")]
    [InlineData("restore")]
    [InlineData("pause")]
    [InlineData("resume")]
    [InlineData("stop")]
    [InlineData("server")]
    [InlineData("worker")]
    public async Task Every_command_explains_itself_with_examples(params string[] command)
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync([.. command, "--help"]);

        Assert.Equal(0, end.ExitCode);
        Assert.Contains("Examples:", end.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("runn", "runn")]
    [InlineData("run --sett a=b", "--sett")]
    [InlineData("run --run-id ../x", "../x")]
    [InlineData("report", "report")]
    [InlineData("report nowhere", "./alt run")]
    [InlineData("status nowhere", "./alt run")]
    [InlineData("sample --run a", "--prompts")]
    [InlineData("sample --run a --prompts none.jsonl --n 1 --out o.jsonl", "none.jsonl")]
    [InlineData("replay a", "--iteration")]
    [InlineData("replay a --iteration 1", "./alt run")]
    [InlineData("what-if a --iteration one", "one")]
    [InlineData("pause a", "./alt run")]
    [InlineData("retry a", "./alt run")]
    [InlineData("fork a --set seed=2", "--at")]
    [InlineData("bench nothing", "nothing")]
    [InlineData("server --port 70000", "--port 70000")]
    [InlineData("server --ip nowhere", "--ip nowhere")]
    [InlineData("server --ip 0.0.0.0", "--allow-insecure-network")]
    [InlineData("server --tls-cert server.pem", "--tls-key")]
    [InlineData("server --tls-cert none.pem --tls-key none.key", "none.pem")]
    [InlineData("server --api-key-file none.txt", "none.txt")]
    [InlineData("server --api-key-env ALT_NO_SUCH_VARIABLE", "ALT_NO_SUCH_VARIABLE")]
    [InlineData("run --temporal-namespace mine", "--temporal HOST:PORT")]
    [InlineData("run --temporal-profile nowhere", "nowhere")]
    public async Task A_wrong_command_is_one_line_and_exit_code_2(string command, string names)
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync(command.Split(' '));

        Assert.Equal(2, end.ExitCode);
        Assert.Empty(end.Output);
        Assert.Contains(names, end.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_runs_status_is_an_empty_list()
    {
        await using var installation = new Installation();

        var end = await installation.RunAsync("status", "--json");

        Assert.Equal(0, end.ExitCode);
        Assert.Empty(JsonDocument.Parse(end.Output).RootElement.GetProperty("runs").EnumerateArray());
        Assert.False(Directory.Exists(Path.Combine(installation.Home, "pg")));
    }
}
