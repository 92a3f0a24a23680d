using System.Text.Json;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Host;

/// <summary>One undisturbed run that all tests of the program share, and that makes them run one after the other.</summary>
public sealed class FinishedRun : IAsyncLifetime
{
    public const string Id = "calm";

    internal Installation Installation { get; } = new();

    public RunReport Report { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        var end = await Installation.RunAsync("run", Installation.Config, "--run-id", Id, "--json");
        Assert.True(end.ExitCode == 0, end.Errors);
        Report = JsonSerializer.Deserialize<RunReport>(end.Output, AltJson.Options)!;
    }

    public async Task DisposeAsync() => await Installation.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class HostTests : ICollectionFixture<FinishedRun>
{
    public const string Name = "The program";
}
