using Temporalio.Client;
using Temporalio.Worker;
using TemporalServer;

namespace Alt.Tests.Infra.Temporal;

/// <summary>An embedded server on a database of its own, and clients and workers for it.</summary>
public sealed class TemporalFixture : IAsyncLifetime
{
    private readonly PostgresFixture postgres = new();
    private string database = "";

    public EmbeddedServer Server { get; private set; } = null!;

    public TemporalClient Client { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        database = await postgres.CreateDatabaseAsync();
        Server = await EmbeddedServer.StartAsync(new() { ConnectionString = database });
        Client = await TemporalClient.ConnectAsync(new(Server.Address));
    }

    public async Task DisposeAsync()
    {
        await Server.DisposeAsync();
        await postgres.DisposeAsync();
    }

    /// <summary>Stops the server and starts it again at the same address.</summary>
    public async Task RestartServerAsync(Func<Task>? meanwhile = null)
    {
        var port = int.Parse(Server.Address.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        await Server.DisposeAsync();
        await (meanwhile?.Invoke() ?? Task.CompletedTask);
        Server = await EmbeddedServer.StartAsync(new() { ConnectionString = database, Port = port });
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
