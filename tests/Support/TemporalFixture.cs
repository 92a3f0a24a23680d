using Temporalio.Client;
using Temporalio.Worker;
using TemporalServer;

namespace Alt.Tests;

/// <summary>An embedded server on a database of its own, and clients and workers for it.</summary>
public sealed class TemporalFixture : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private string _database = "";

    public EmbeddedServer Server { get; private set; } = null!;

    public TemporalClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _database = await _postgres.CreateDatabaseAsync();
        Server = await EmbeddedServer.StartAsync(new() { ConnectionString = _database });
        Client = await TemporalClient.ConnectAsync(new(Server.Address));
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>Stops the server and starts it again at the same address.</summary>
    public async Task RestartServerAsync(Func<Task>? meanwhile = null)
    {
        var port = int.Parse(Server.Address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        await Server.DisposeAsync();
        await (meanwhile?.Invoke() ?? Task.CompletedTask);
        Server = await EmbeddedServer.StartAsync(new() { ConnectionString = _database, Port = port });
    }

    /// <summary>Runs a worker on a task queue of its own while the test's code runs.</summary>
    public async Task RunWorkerAsync(Action<TemporalWorkerOptions> configure, Func<string, Task> test, ITemporalClient? client = null)
    {
        var options = new TemporalWorkerOptions($"queue-{Guid.NewGuid()}");
        configure(options);
        using var worker = new TemporalWorker(client ?? Client, options);
        await worker.ExecuteAsync(() => test(options.TaskQueue!));
    }

    public static WorkflowOptions NewWorkflow(string queue) => new($"workflow-{Guid.NewGuid()}", queue);
}
