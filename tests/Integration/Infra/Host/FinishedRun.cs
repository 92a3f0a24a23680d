using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

/// <summary>
/// One undisturbed run for all tests of the program: the first class that asks makes it, and it lasts until the tests have ended.
/// </summary>
public sealed class FinishedRun : IAsyncLifetime
{
    public const string Id = "calm";

    private static readonly Lazy<Task<(Installation, RunReport)>> Shared = new(MakeAsync);

    internal Installation Installation { get; private set; } = null!;

    public RunReport Report { get; private set; } = null!;

    public async Task InitializeAsync() => (Installation, Report) = await Shared.Value;

    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task<(Installation, RunReport)> MakeAsync()
    {
        var installation = new Installation();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => installation.DisposeAsync().AsTask().Wait();
        var end = await installation.RunAsync("run", installation.Config, "--run-id", Id, "--json");
        Assert.True(end.ExitCode == 0, end.Errors);
        return (installation, JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!);
    }
}

/// <summary>The tests that work in the finished run's home do so one class after the other.</summary>
[CollectionDefinition(Name)]
public sealed class SharedHome : ICollectionFixture<FinishedRun>
{
    public const string Name = "The finished run's home";
}
