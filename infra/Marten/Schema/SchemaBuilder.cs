using System.Collections.Concurrent;
using System.Text;
using JasperFx;
using Marten.Documents;
using Marten.Events;
using Npgsql;

namespace Marten.Schema;

/// <summary>Creates what is missing, once per store and kind, before its first use.</summary>
internal sealed class SchemaBuilder(StoreOptions options, NpgsqlDataSource dataSource) : IDisposable
{
    // All stores of all processes queue here: PostgreSQL's "if not exists" is not safe against a concurrent creation.
    private const long AdvisoryLock = 4004;

    private readonly ConcurrentDictionary<Type, DocumentMapping> _mappings = new();
    private readonly ConcurrentDictionary<string, bool> _created = new();
    private readonly SemaphoreSlim _creating = new(1);

    private string EventsKey => "events of " + options.Events.DatabaseSchemaName;

    public DocumentMapping MappingFor(Type type) =>
        _mappings.GetOrAdd(type, key => new DocumentMapping(key, options.DatabaseSchemaName, options.Projections.Inline.ContainsKey(key)));

    public void Dispose() => _creating.Dispose();

    public ValueTask EnsureEventsAsync(CancellationToken token) =>
        IsReady(EventsKey) ? ValueTask.CompletedTask : new ValueTask(CreateAsync(EventsKey, connection => CreateEventsAsync(connection, token), token));

    public ValueTask EnsureDocumentAsync(DocumentMapping mapping, CancellationToken token) =>
        IsReady(mapping.Table)
            ? ValueTask.CompletedTask
            : new ValueTask(CreateAsync(mapping.Table, connection => CreateDocumentAsync(connection, mapping, token), token));

    /// <summary>Creates all that the options name, whatever <see cref="StoreOptions.AutoCreateSchemaObjects"/> says.</summary>
    public async Task ApplyAllAsync(CancellationToken token)
    {
        await CreateAsync(EventsKey, connection => CreateEventsAsync(connection, token), token);
        foreach (Type type in options.DocumentTypes)
        {
            DocumentMapping mapping = MappingFor(type);
            await CreateAsync(mapping.Table, connection => CreateDocumentAsync(connection, mapping, token), token);
        }
    }

    /// <summary>Forgets what exists, after somebody dropped it.</summary>
    public void Forget() => _created.Clear();

    private bool IsReady(string key) => options.AutoCreateSchemaObjects == AutoCreate.None || _created.ContainsKey(key);

    private async Task CreateAsync(string key, Func<NpgsqlConnection, Task> create, CancellationToken token)
    {
        await _creating.WaitAsync(token);
        try
        {
            if (!_created.ContainsKey(key))
            {
                await using NpgsqlConnection connection = await dataSource.OpenConnectionAsync(token);
                await create(connection);
                _created[key] = true;
            }
        }
        finally
        {
            _creating.Release();
        }
    }

    private async Task CreateEventsAsync(NpgsqlConnection connection, CancellationToken token)
    {
        EventGraph events = options.EventGraph;
        string s = events.DatabaseSchemaName;
        string[] tables = ["mt_streams", "mt_events", "mt_event_progression", "mt_high_water_skips", "mt_doc_deadletterevent"];
        IEnumerable<string> exist = tables.Select(table => $"to_regclass('{s}.{table}') is not null")
            .Concat(EventSchema.Functions(events).Select(function => $"to_regprocedure('{function.Signature}') is not null"));
        await using var check = new NpgsqlCommand("select " + string.Join(" and ", exist), connection);
        if (await check.ExecuteScalarAsync(token) is true)
        {
            return;
        }

        var script = new StringBuilder(EventSchema.Create(events));
        foreach ((string signature, string definition) in EventSchema.Functions(events))
        {
            script.AppendLine().Append(
                $"""
                do $create$ begin
                if to_regprocedure('{signature}') is null then
                {definition}
                end if;
                end $create$;
                """);
        }

        await RunAsync(connection, script.ToString(), token);
    }

    private async Task CreateDocumentAsync(NpgsqlConnection connection, DocumentMapping mapping, CancellationToken token)
    {
        await using var check = new NpgsqlCommand($"select to_regclass('{mapping.Table}') is not null", connection);
        if (await check.ExecuteScalarAsync(token) is not true)
        {
            await RunAsync(connection, DocumentSchema.Create(mapping, options.DatabaseSchemaName), token);
        }
    }

    private static async Task RunAsync(NpgsqlConnection connection, string script, CancellationToken token)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(token);
        await using var command = new NpgsqlCommand($"select pg_advisory_xact_lock({AdvisoryLock});\n{script}", connection, transaction);
        await command.ExecuteNonQueryAsync(token);
        await transaction.CommitAsync(token);
    }
}
