using System.Text.Json;
using System.Text.Json.Serialization;
using Alt.Domain;
using Npgsql;

namespace Alt.Infra.Audits;

/// <summary>Answers questions about what is recorded. Reads only.</summary>
public sealed partial class Audit(Ledger ledger, ArtifactStore artifacts)
{
    private static readonly JsonSerializerOptions EventJson = new() { Converters = { new JsonStringEnumConverter() } };

    private static readonly Dictionary<string, Type> Types = typeof(IterationEvent)
        .GetNestedTypes().ToDictionary(t => JsonNamingPolicy.SnakeCaseLower.ConvertName(t.Name));

    /// <summary>Names of a run's streams: its own, and one for each iteration that it can have.</summary>
    private static string[] Streams(string run, RunConfig config) => [Ledger.RunStream(run), .. IterationStreams(run, config)];

    private static string[] IterationStreams(string run, RunConfig config) =>
        [.. Enumerable.Range(0, config.Iterations + 1).Select(n => Ledger.IterationStream(new(run, n)))];

    private static T Data<T>(NpgsqlDataReader reader, int column) =>
        JsonSerializer.Deserialize<T>(reader.GetFieldValue<byte[]>(column), EventJson)!;

    /// <summary>The states of iterations, without their many chunks.</summary>
    private async Task<IReadOnlyDictionary<string, IterationState>> SummariesAsync(string[] streams, CancellationToken token)
    {
        var events = await AskAsync(
            AuditSql.Summaries, r => (Stream: r.GetString(0), Event: (IterationEvent)JsonSerializer.Deserialize(
                r.GetFieldValue<byte[]>(2), Types[r.GetString(1)], EventJson)!),
            token, (object)streams);
        return events.GroupBy(e => e.Stream).ToDictionary(g => g.Key, g => IterationState.Fold(g.Select(e => e.Event)));
    }

    private async Task<List<T>> AskAsync<T>(string sql, Func<NpgsqlDataReader, T> row, CancellationToken token, params object[] parameters)
    {
        await using var command = ledger.Source.CreateCommand(sql);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await using var reader = await command.ExecuteReaderAsync(token);
        var rows = new List<T>();
        while (await reader.ReadAsync(token))
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    private static T? Nullable<T>(NpgsqlDataReader reader, int column)
        where T : class => reader.IsDBNull(column) ? null : reader.GetFieldValue<T>(column);
}
