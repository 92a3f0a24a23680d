using JasperFx.Events;
using Marten;
using Npgsql;

namespace Alt.Tests.Infra.Marten;

/// <summary>One database for the tests of a class.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    private readonly PostgresFixture _postgres = new();
    private int _schemas;

    public string ConnectionString { get; private set; } = "";

    public string NextSchema() => $"test_{Interlocked.Increment(ref _schemas)}";

    public async Task InitializeAsync()
    {
        await _postgres.InitializeAsync();
        ConnectionString = await _postgres.CreateDatabaseAsync();
    }

    public Task DisposeAsync() => _postgres.DisposeAsync();
}

/// <summary>Tests that each have a store of their own, in a schema of its own; streams are named by string.</summary>
public abstract class StoreTest(StoreFixture database) : IClassFixture<StoreFixture>, IAsyncLifetime
{
    private readonly List<DocumentStore> _stores = [];

    protected string Schema { get; } = database.NextSchema();

    protected string ConnectionString { get; private set; } = "";

    protected DocumentStore Store { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        ConnectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { SearchPath = Schema }.ConnectionString;
        Store = Open(Configure);
        await Store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
    }

    public async Task DisposeAsync()
    {
        foreach (DocumentStore store in _stores)
        {
            await store.DisposeAsync();
        }
    }

    protected virtual void Configure(StoreOptions options)
    {
    }

    /// <summary>A further store on the same tables.</summary>
    protected DocumentStore Open(Action<StoreOptions> configure)
    {
        DocumentStore store = DocumentStore.For(options =>
        {
            options.Connection(ConnectionString);
            options.DatabaseSchemaName = Schema;
            options.Events.StreamIdentity = StreamIdentity.AsString;
            configure(options);
        });
        _stores.Add(store);
        return store;
    }

    protected async Task AppendAsync(string stream, params object[] events)
    {
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.Append(stream, events);
        await session.SaveChangesAsync();
    }

    protected async Task<object[]> DataAsync(string stream)
    {
        await using IQuerySession session = Store.QuerySession();
        return [.. (await session.Events.FetchStreamAsync(stream)).Select(e => e.Data)];
    }

    protected async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of every row, as text.</summary>
    protected async Task<string[]> QueryAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var rows = new List<string>();
        while (await reader.ReadAsync())
        {
            rows.Add(reader.IsDBNull(0) ? "" : reader.GetValue(0).ToString()!);
        }

        return [.. rows];
    }
}
