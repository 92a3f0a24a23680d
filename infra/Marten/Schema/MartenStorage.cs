using Npgsql;

namespace Marten.Schema;

/// <summary>The store's tables.</summary>
public interface IMartenStorage
{
    /// <summary>Creates every missing table and function of the event store and of the documents that the options name.</summary>
    Task ApplyAllConfiguredChangesToDatabaseAsync();
}

internal sealed class MartenStorage(SchemaBuilder schema) : IMartenStorage
{
    public Task ApplyAllConfiguredChangesToDatabaseAsync() => schema.ApplyAllAsync(CancellationToken.None);
}

/// <summary>Seldom needed operations on a whole store.</summary>
public class AdvancedOperations
{
    internal AdvancedOperations(IDocumentCleaner cleaner) => Clean = cleaner;

    public IDocumentCleaner Clean { get; }
}

/// <summary>Deletes data; for tests.</summary>
public interface IDocumentCleaner
{
    /// <summary>Drops every table and function of the store.</summary>
    Task CompletelyRemoveAllAsync(CancellationToken ct = default);

    /// <summary>Empties the tables of the events, and keeps them.</summary>
    Task DeleteAllEventDataAsync(CancellationToken ct = default);

    /// <summary>Empties the tables of the documents, and keeps them.</summary>
    Task DeleteAllDocumentsAsync(CancellationToken ct = default);
}

internal sealed class DocumentCleaner(StoreOptions options, NpgsqlDataSource dataSource, SchemaBuilder schema) : IDocumentCleaner
{
    private string Events => options.EventGraph.DatabaseSchemaName;

    public async Task CompletelyRemoveAllAsync(CancellationToken ct = default)
    {
        await RunAsync(ct, options.DatabaseSchemaName, Events);
        schema.Forget();

        async Task RunAsync(CancellationToken token, params string[] schemas)
        {
            foreach (string name in schemas.Distinct())
            {
                await ExecuteForEachAsync($"select format('drop table if exists %I.%I cascade', schemaname, tablename) from pg_tables where schemaname = '{name}' and tablename like 'mt\\_%'", token);
                await ExecuteForEachAsync($"select format('drop function if exists %s cascade', p.oid::regprocedure) from pg_proc p where p.pronamespace = to_regnamespace('{name}') and p.proname like 'mt\\_%'", token);
            }
        }
    }

    public Task DeleteAllEventDataAsync(CancellationToken ct = default) =>
        ExecuteForEachAsync($"select format('truncate %s cascade', c.oid::regclass) from pg_class c where c.oid in (to_regclass('{Events}.mt_streams'), to_regclass('{Events}.mt_event_progression'))", ct);

    public Task DeleteAllDocumentsAsync(CancellationToken ct = default) =>
        ExecuteForEachAsync($"select format('truncate %I.%I cascade', schemaname, tablename) from pg_tables where schemaname = '{options.DatabaseSchemaName}' and tablename like 'mt\\_doc\\_%'", ct);

    /// <summary>Runs each statement that a query writes.</summary>
    private async Task ExecuteForEachAsync(string query, CancellationToken token)
    {
        await using NpgsqlConnection connection = await dataSource.OpenConnectionAsync(token);
        var statements = new List<string>();
        await using (var command = new NpgsqlCommand(query, connection))
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync(token))
        {
            while (await reader.ReadAsync(token))
            {
                statements.Add(reader.GetString(0));
            }
        }

        foreach (string statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(token);
        }
    }
}
