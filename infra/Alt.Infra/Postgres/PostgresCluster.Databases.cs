using System.Globalization;
using Npgsql;

namespace Alt.Infra;

public sealed partial class PostgresCluster
{
    /// <summary>Writes a database, as it is at one moment, to a file of pg_dump's own format.</summary>
    /// <exception cref="PostgresClusterException">It cannot be written.</exception>
    public Task DumpAsync(string database, string path, CancellationToken token = default) =>
        _server.ClientAsync("pg_dump", _password, token, [.. Address(database), "--format=custom", "--no-owner", $"--file={path}"]);

    /// <summary>
    /// Creates a database from such a file. It appears under its name only when it is complete; an existing one is replaced.
    /// </summary>
    /// <exception cref="PostgresClusterException">The file is incomplete; the database is unchanged.</exception>
    public async Task LoadAsync(string database, string path, CancellationToken token = default)
    {
        var aside = $"{database}_{Guid.NewGuid():N}";
        await ExecuteAsync($"create database \"{aside}\"", token);
        try
        {
            await _server.ClientAsync("pg_restore", _password, token, [.. Address(aside), "--exit-on-error", "--no-owner", path]);
            await DropAsync(database, token);
            await ExecuteAsync($"alter database \"{aside}\" rename to \"{database}\"", token);
        }
        catch
        {
            await DropAsync(aside, CancellationToken.None);
            throw;
        }
    }

    /// <summary>Drops a database with all its content, even if clients are connected.</summary>
    public Task DropAsync(string database, CancellationToken token = default) =>
        ExecuteAsync($"drop database if exists \"{database}\" with (force)", token);

    private string[] Address(string database) =>
        [
            "--host=127.0.0.1", $"--port={_port.ToString(CultureInfo.InvariantCulture)}", $"--username={User}", "--no-password",
            $"--dbname={database}"
        ];

    private async Task ExecuteAsync(string sql, CancellationToken token)
    {
        await using var connection = new NpgsqlConnection(ConnectionString() + ";Pooling=false");
        await connection.OpenAsync(token);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(token);
    }
}
