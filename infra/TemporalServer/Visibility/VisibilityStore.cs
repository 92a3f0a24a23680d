using System.Globalization;
using System.Text;
using Google.Protobuf;
using Npgsql;
using NpgsqlTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using TemporalServer.Persistence;

namespace TemporalServer.Visibility;

/// <summary>Lists and counts runs by filter. It may lag behind a run's own state only in lengths, never in status or attributes.</summary>
internal sealed class VisibilityStore(Database database, SearchAttributeTypes attributes)
{
    private const int DefaultPageSize = 100;
    private const int LargestPageSize = 1000;
    private const string SortKey = "coalesce(close_time, 'infinity'), start_time, run_id";

    /// <summary>One page, running and last closed runs first unless the filter orders them.</summary>
    public async Task<(IReadOnlyList<WorkflowExecutionInfo> Runs, ByteString Next)> ListAsync(
        string ns, string query, int pageSize, ByteString token)
    {
        var size = pageSize <= 0 ? DefaultPageSize : Math.Min(pageSize, LargestPageSize);
        var parameters = new List<NpgsqlParameter> { new() { Value = ns } };
        var filter = Filter.Parse(query, attributes.All, parameters);
        if (filter.GroupBy is not null)
        {
            throw RpcError.InvalidArgument("invalid query: GROUP BY is only for counting");
        }

        var condition = filter.Condition;
        string order;
        var offset = 0;
        if (filter.OrderBy is { } wanted)
        {
            // A caller's own order has no key to continue from, so pages are counted.
            order = $"{wanted}, run_id";
            offset = token.IsEmpty ? 0 : int.Parse(token.ToStringUtf8(), CultureInfo.InvariantCulture);
        }
        else
        {
            order = "coalesce(close_time, 'infinity') DESC, start_time DESC, run_id DESC";
            condition += token.IsEmpty ? "" : After(token, parameters);
        }

        await using var command = database.Source.CreateCommand(
            $"SELECT info, coalesce(close_time, 'infinity')::text, start_time::text, run_id FROM {database.Schema}.visibility "
            + $"WHERE namespace = $1 AND {condition} ORDER BY {order} LIMIT {size + 1} OFFSET {offset}");
        command.Parameters.AddRange(parameters.ToArray());
        await using var reader = await command.ExecuteReaderAsync();
        var runs = new List<WorkflowExecutionInfo>();
        var last = "";
        while (await reader.ReadAsync())
        {
            if (runs.Count == size)
            {
                return (runs, ByteString.CopyFromUtf8(
                    filter.OrderBy is null ? last : (offset + size).ToString(CultureInfo.InvariantCulture)));
            }

            runs.Add(WorkflowExecutionInfo.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0)));
            last = $"{reader.GetString(1)}|{reader.GetString(2)}|{reader.GetGuid(3)}";
        }

        return (runs, ByteString.Empty);
    }

    /// <summary>The number of runs, and the numbers per status where the filter groups by it.</summary>
    public async Task<(long Count, IReadOnlyList<(WorkflowExecutionStatus Status, long Count)> Groups)> CountAsync(string ns, string query)
    {
        var parameters = new List<NpgsqlParameter> { new() { Value = ns } };
        var filter = Filter.Parse(query, attributes.All, parameters);
        if (filter.GroupBy is { Name: not FilterField.ExecutionStatus })
        {
            throw RpcError.InvalidArgument("invalid query: 'GROUP BY' clause is only supported for ExecutionStatus search attribute");
        }

        await using var command = database.Source.CreateCommand(
            $"SELECT status, count(*) FROM {database.Schema}.visibility WHERE namespace = $1 AND {filter.Condition} GROUP "
            + "BY status ORDER BY status");
        command.Parameters.AddRange(parameters.ToArray());
        await using var reader = await command.ExecuteReaderAsync();
        var groups = new List<(WorkflowExecutionStatus, long)>();
        while (await reader.ReadAsync())
        {
            groups.Add(((WorkflowExecutionStatus)reader.GetInt32(0), reader.GetInt64(1)));
        }

        return (groups.Sum(g => g.Item2), filter.GroupBy is null ? [] : groups);
    }

    private static string After(ByteString token, List<NpgsqlParameter> parameters)
    {
        var parts = Encoding.UTF8.GetString(token.Span).Split('|');
        if (parts.Length != 3 || !Guid.TryParse(parts[2], out var runId))
        {
            throw RpcError.InvalidArgument("Invalid NextPageToken.");
        }

        parameters.Add(new() { Value = parts[0], NpgsqlDbType = NpgsqlDbType.Text });
        parameters.Add(new() { Value = parts[1], NpgsqlDbType = NpgsqlDbType.Text });
        parameters.Add(new() { Value = runId });
        var n = parameters.Count;
        return $" AND ({SortKey}) < (${n - 2}::timestamptz, ${n - 1}::timestamptz, ${n})";
    }
}
