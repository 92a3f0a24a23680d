using System.Data;
using Marten.Schema;
using Marten.Sessions;
using Npgsql;

namespace Marten;

/// <inheritdoc cref="IDocumentStore"/>
public class DocumentStore : IDocumentStore
{
    /// <exception cref="InvalidOperationException">The options name no database.</exception>
    public DocumentStore(StoreOptions options)
    {
        Options = options;
        DataSource = options.DataSource
            ?? throw new InvalidOperationException("No tenancy is configured! Ensure that you provided connection string in `AddMarten` method or called `UseNpgsqlDataSource`");
        Schema = new SchemaBuilder(options, DataSource);
        Storage = new MartenStorage(Schema);
        Advanced = new AdvancedOperations(new DocumentCleaner(options, DataSource, Schema));
    }

    public StoreOptions Options { get; }

    public IMartenStorage Storage { get; }

    public AdvancedOperations Advanced { get; }

    internal NpgsqlDataSource DataSource { get; }

    internal SchemaBuilder Schema { get; }

    public static DocumentStore For(string connectionString) => For(options => options.Connection(connectionString));

    public static DocumentStore For(Action<StoreOptions> configure)
    {
        var options = new StoreOptions();
        configure(options);
        return new DocumentStore(options);
    }

    public IDocumentSession LightweightSession(IsolationLevel isolationLevel = IsolationLevel.ReadCommitted) => new DocumentSession(this, isolationLevel);

    public IQuerySession QuerySession() => new DocumentSession(this, IsolationLevel.ReadCommitted);

    public void Dispose()
    {
        if (Options.OwnsDataSource)
        {
            DataSource.Dispose();
        }

        Schema.Dispose();
        GC.SuppressFinalize(this);
    }

    public async ValueTask DisposeAsync()
    {
        if (Options.OwnsDataSource)
        {
            await DataSource.DisposeAsync();
        }

        Schema.Dispose();
        GC.SuppressFinalize(this);
    }
}
