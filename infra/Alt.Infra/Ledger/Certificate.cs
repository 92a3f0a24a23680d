using System.Text.Json;
using Npgsql;

namespace Alt.Infra;

/// <summary>The last seal of one stream at the time of certification: it stands for every event of the stream up to then.</summary>
public sealed record CertifiedSeal(string Stream, long Version, string Seal);

/// <summary>
/// A run's certificate: a file outside of the database, <c>certificates/RUN.jsonl</c> in the artifact store's directory, with the last
/// seals after every iteration. Lines are only added. Write access to the database does not suffice to change this file.
/// </summary>
public sealed class Certificate(ArtifactStore artifacts, string run)
{
    public string Path { get; } = System.IO.Path.Combine(artifacts.Root, "certificates", $"{run}.jsonl");

    /// <summary>All lines; none if the run has no certificate yet.</summary>
    /// <exception cref="LedgerException">A line is damaged.</exception>
    public IReadOnlyList<CertifiedSeal> Read() => Read(Path);

    /// <inheritdoc cref="Read()"/>
    public static IReadOnlyList<CertifiedSeal> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            return [.. File.ReadLines(path).Select(line => JsonSerializer.Deserialize<CertifiedSeal>(line, AltJson.Options)!)];
        }
        catch (JsonException e)
        {
            throw new LedgerException($"the certificate {path} is damaged: {e.Message.ReplaceLineEndings(" ")}; restore it from a backup");
        }
    }

    /// <summary>Adds the current seals of the run's streams that the certificate lacks.</summary>
    public async Task ExtendAsync(Ledger ledger, CancellationToken token = default)
    {
        var known = Read().Select(l => (l.Stream, l.Version)).ToHashSet();
        var lines = new List<string>();
        await using (var command = ledger.Source.CreateCommand(
            $"select distinct on (stream) stream, version, seal from {Seals.Table} where {Seals.OfRun} order by stream, version desc"))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            await using var reader = await command.ExecuteReaderAsync(token);
            while (await reader.ReadAsync(token))
            {
                if (!known.Contains((reader.GetString(0), reader.GetInt64(1))))
                {
                    lines.Add(JsonSerializer.Serialize(
                        new CertifiedSeal(
                            reader.GetString(0), reader.GetInt64(1), Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(2))),
                        AltJson.Options));
                }
            }
        }

        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        using var file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.Read);
        using (var writer = new StreamWriter(file, leaveOpen: true))
        {
            foreach (var line in lines)
            {
                await writer.WriteLineAsync(line);
            }
        }

        file.Flush(flushToDisk: true);
    }
}
