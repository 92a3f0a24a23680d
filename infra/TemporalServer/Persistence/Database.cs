using System.Text.RegularExpressions;
using Npgsql;

namespace TemporalServer.Persistence;

/// <summary>The connection pool, and the schema that holds the server's tables.</summary>
internal sealed partial class Database : IAsyncDisposable
{
    private Database(NpgsqlDataSource source, string schema)
    {
        Source = source;
        Schema = schema;
    }

    public NpgsqlDataSource Source { get; }

    /// <summary>Name of the schema, safe to use in SQL.</summary>
    public string Schema { get; }

    /// <summary>Connects and creates what is missing.</summary>
    /// <exception cref="ArgumentException">The schema's name is not a plain identifier.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public static async Task<Database> OpenAsync(string connectionString, string schema, CancellationToken cancellation)
    {
        if (!Identifier().IsMatch(schema))
        {
            throw new ArgumentException(
                $"The schema name '{schema}' is not valid: use lower-case letters, digits and underscores.", nameof(schema));
        }

        var settings = new NpgsqlConnectionStringBuilder(connectionString) { MaxAutoPrepare = 40, AutoPrepareMinUsages = 2 };
        var database = new Database(NpgsqlDataSource.Create(settings), schema);
        try
        {
            await database.CreateTablesAsync(cancellation);
            return database;
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => Source.DisposeAsync();

    private async Task CreateTablesAsync(CancellationToken cancellation)
    {
        using var reader = new StreamReader(typeof(Database).Assembly.GetManifestResourceStream("schema.sql")!);
        var sql = (await reader.ReadToEndAsync(cancellation)).Replace("{schema}", Schema, StringComparison.Ordinal);
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    [GeneratedRegex("^[a-z_][a-z0-9_]{0,62}$")]
    private static partial Regex Identifier();
}
