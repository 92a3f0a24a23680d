using System.Collections.Concurrent;
using Npgsql;
using Temporalio.Api.Enums.V1;
using TemporalServer.Persistence;

namespace TemporalServer.Visibility;

/// <summary>The existing search attributes and their types: some predefined, others added by users.</summary>
internal sealed class SearchAttributeTypes(Database database)
{
    private static readonly Dictionary<string, IndexedValueType> Predefined = new()
    {
        ["BatcherUser"] = IndexedValueType.Keyword,
        ["BinaryChecksums"] = IndexedValueType.KeywordList,
        ["BuildIds"] = IndexedValueType.KeywordList,
        ["TemporalChangeVersion"] = IndexedValueType.KeywordList,
        ["TemporalNamespaceDivision"] = IndexedValueType.Keyword,
        ["TemporalReportedProblems"] = IndexedValueType.KeywordList,
        ["TemporalSchedulePaused"] = IndexedValueType.Bool,
        ["TemporalScheduledById"] = IndexedValueType.Keyword,
        ["TemporalScheduledStartTime"] = IndexedValueType.Datetime,
    };

    private readonly ConcurrentDictionary<string, IndexedValueType> _all = new(Predefined);

    public IReadOnlyDictionary<string, IndexedValueType> All => _all;

    public IEnumerable<KeyValuePair<string, IndexedValueType>> Custom => _all.Where(a => !Predefined.ContainsKey(a.Key));

    public bool IsDefined(string name) => _all.ContainsKey(name);

    public async Task LoadAsync(CancellationToken cancellation)
    {
        await using var command = database.Source.CreateCommand($"SELECT name, type FROM {database.Schema}.search_attributes");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            _all[reader.GetString(0)] = (IndexedValueType)reader.GetInt32(1);
        }
    }

    /// <exception cref="RpcError">INVALID_ARGUMENT or ALREADY_EXISTS.</exception>
    public async Task AddAsync(IEnumerable<KeyValuePair<string, IndexedValueType>> attributes)
    {
        foreach ((var name, var type) in attributes)
        {
            if (name.Length == 0 || type == IndexedValueType.Unspecified)
            {
                throw RpcError.InvalidArgument($"Unable to read search attribute type: {name}");
            }

            if (Predefined.ContainsKey(name) || FilterField.System.Any(f => f.Name == name))
            {
                throw RpcError.InvalidArgument($"Search attribute {name} is reserved by system.");
            }

            await ExecuteAsync(
                $"INSERT INTO {database.Schema}.search_attributes (name, type) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name,
                (int)type);
            _all[name] = type;
        }
    }

    /// <exception cref="RpcError">NOT_FOUND.</exception>
    public async Task RemoveAsync(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (Predefined.ContainsKey(name) || !_all.ContainsKey(name))
            {
                throw RpcError.NotFound($"Search attribute {name} doesn't exist.");
            }

            await ExecuteAsync($"DELETE FROM {database.Schema}.search_attributes WHERE name = $1", name);
            _all.TryRemove(name, out _);
        }
    }

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = database.Source.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        await command.ExecuteNonQueryAsync();
    }
}
