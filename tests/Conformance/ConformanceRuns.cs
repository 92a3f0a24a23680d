using System.Collections.Concurrent;
using System.Text.Json;

namespace Alt.Tests.Conformance;

/// <summary>How one scenario ended.</summary>
/// <param name="Error">What went wrong, with its stack; null for success.</param>
internal sealed record ScenarioResult(string Scenario, double Seconds, string? Error);

/// <summary>Runs the official TypeScript SDK's scenarios (main.js) against the embedded server, once in each configuration.</summary>
public sealed class ConformanceRuns : IAsyncLifetime
{
    /// <summary>The line by which a scenario asks for kill -9 of the server, and for the next one on the same port.</summary>
    private const string KillServer = "kill the server";

    private const int AtOnce = 2;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(8);

    private readonly ConcurrentDictionary<string, (IReadOnlyList<ScenarioResult> Results, string Errors)> _runs = new();

    public async Task InitializeAsync()
    {
        var node = new NodeProject("Conformance");
        node.Run("bundle.js");
        await Parallel.ForEachAsync(Configuration.All, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (configuration, _) =>
            _runs[configuration.Name] = await RunAsync(node, configuration));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    internal ScenarioResult Result(string configuration, string scenario) =>
        _runs[configuration].Results.SingleOrDefault(r => r.Scenario == scenario)
        ?? new(scenario, 0, $"It did not run. Last messages of the SDK: {_runs[configuration].Errors}");

    internal IEnumerable<string> ScenariosOf(string configuration) => _runs[configuration].Results.Select(r => r.Scenario);

    private static async Task<(IReadOnlyList<ScenarioResult>, string)> RunAsync(NodeProject node, Configuration configuration)
    {
        var server = new ServerProcess(configuration.Server);
        try
        {
            await server.InitializeAsync();
            return await RunAsync(node, configuration, server);
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    private static async Task<(IReadOnlyList<ScenarioResult>, string)> RunAsync(
        NodeProject node, Configuration configuration, ServerProcess server)
    {
        using var process = node.Start("node", "main.js", server.Address, configuration.Worker);
        var lastErrors = new Queue<string>();
        var errors = EachLineAsync(process.StandardError, line =>
        {
            lastErrors.Enqueue(line);
            if (lastErrors.Count > 20)
            {
                lastErrors.Dequeue();
            }

            return Task.CompletedTask;
        });
        var results = new List<ScenarioResult>();
        var output = EachLineAsync(process.StandardOutput, async line =>
        {
            if (line == KillServer)
            {
                await server.KillAsync();
                await process.StandardInput.WriteLineAsync("the next one is up");
                await process.StandardInput.FlushAsync();
            }
            else
            {
                results.Add(JsonSerializer.Deserialize<ScenarioResult>(line, JsonSerializerOptions.Web)!);
            }
        });
        try
        {
            await Task.WhenAll(process.WaitForExitAsync(), output, errors).WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await Task.WhenAll(output, errors);
        }

        return (results, string.Join('\n', lastErrors));
    }

    private static async Task EachLineAsync(StreamReader reader, Func<string, Task> use)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            await use(line);
        }
    }
}
