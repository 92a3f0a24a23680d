using Npgsql;

namespace Alt.Tests;

/// <summary>
/// Gives a test class its own databases on the PostgreSQL server that the environment variable
/// <c>ALT_POSTGRES</c> names (a Npgsql connection string; <c>./alt test</c> sets it), and drops them afterwards.
/// Use as <c>IClassFixture&lt;PostgresFixture&gt;</c>.
/// </summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    public const string Variable = "ALT_POSTGRES";

    private readonly List<string> _databases = [];

    /// <summary>Connection string of the server itself, as the environment gives it.</summary>
    /// <exception cref="InvalidOperationException">The variable is missing.</exception>
    public static string ServerConnectionString =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } value
            ? value
            : throw new InvalidOperationException(
                $"{Variable} is not set. These tests need a real PostgreSQL: run ./alt test, or set {Variable} to a "
                + "Npgsql connection string "
                + "of a server on which databases may be created, such as 'Host=127.0.0.1;Port=5432;Username=postgres'.");

    /// <summary>Creates an empty database with a unique name and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"alt_test_{Guid.NewGuid():N}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        _databases.Add(name);
        return new NpgsqlConnectionStringBuilder(ServerConnectionString) { Database = name }.ConnectionString;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var name in _databases)
        {
            await ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        }
    }

    private static async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ServerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
