using System.Text.Json;
using JasperFx;
using Marten.Events;
using Marten.Events.Projections;
using Marten.Sessions;
using Npgsql;
using Weasel.Core;

namespace Marten;

/// <summary>How a store is set up. Read once, when the store is made.</summary>
public class StoreOptions
{
    // A session's few statements stay prepared, and with them the plans inside of the functions: a third of the server's work per append.
    private const int PreparedStatements = 32;

    private string _schema = "public";

    public StoreOptions()
    {
        EventGraph = new EventGraph(this);
        Projections = new ProjectionOptions(this);
    }

    /// <summary>Schema of all tables, in lower case.</summary>
    /// <value>Default <c>public</c>.</value>
    public string DatabaseSchemaName
    {
        get => _schema;
        set => _schema = value.ToLowerInvariant();
    }

    /// <summary>What the store may create on its own.</summary>
    /// <value>Default <see cref="AutoCreate.CreateOrUpdate"/>.</value>
    public AutoCreate AutoCreateSchemaObjects { get; set; } = AutoCreate.CreateOrUpdate;

    public IEventStoreOptions Events => EventGraph;

    public ProjectionOptions Projections { get; }

    internal EventGraph EventGraph { get; }

    internal JsonSerialization Serialization { get; private set; } = new(new JsonSerializerOptions());

    internal NpgsqlDataSource? DataSource { get; private set; }

    /// <summary>Whether <see cref="DataSource"/> was made here, and so ends with the store.</summary>
    internal bool OwnsDataSource { get; private set; }

    internal HashSet<Type> DocumentTypes { get; } = [];

    public void Connection(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString)
        {
            IncludeFailedBatchedCommand = true, // It decides what the failure means.
        };
        if (builder.MaxAutoPrepare == 0)
        {
            builder.MaxAutoPrepare = PreparedStatements;
        }

        DataSource = NpgsqlDataSource.Create(builder);
        OwnsDataSource = true;
    }

    public void Connection(NpgsqlDataSource dataSource)
    {
        DataSource = dataSource;
        OwnsDataSource = false;
    }

    /// <summary>Names a document type whose table should exist from the start rather than from its first use.</summary>
    public void RegisterDocumentType<T>()
        where T : notnull => DocumentTypes.Add(typeof(T));

    /// <summary>Chooses how documents and events are spelled in JSON. Without a call: System.Text.Json with its defaults.</summary>
    public void UseSystemTextJsonForSerialization(
        EnumStorage enumStorage = EnumStorage.AsInteger, Casing casing = Casing.Default, Action<JsonSerializerOptions>? configure = null) =>
        UseSystemTextJsonForSerialization(null, enumStorage, casing, configure);

    /// <inheritdoc cref="UseSystemTextJsonForSerialization(EnumStorage, Casing, Action{JsonSerializerOptions}?)"/>
    public void UseSystemTextJsonForSerialization(
        JsonSerializerOptions? options, EnumStorage enumStorage = EnumStorage.AsInteger, Casing casing = Casing.Default, Action<JsonSerializerOptions>? configure = null) =>
        Serialization = JsonSerialization.For(options, enumStorage, casing, configure);
}
