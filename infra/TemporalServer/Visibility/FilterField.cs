using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using NpgsqlTypes;
using Temporalio.Api.Enums.V1;

namespace TemporalServer.Visibility;

/// <summary>A value for a SQL parameter.</summary>
internal readonly record struct SqlValue(object Value, NpgsqlDbType Type);

/// <summary>A field that list filters can name: a column, or a search attribute inside the JSON column.</summary>
/// <param name="Name">As in filters.</param>
/// <param name="Sql">Expression of its value, null where the run has none.</param>
/// <param name="Attribute">The field is a search attribute, which may be a list.</param>
internal sealed partial record FilterField(string Name, string Sql, IndexedValueType Type, bool Attribute = false)
{
    public const string ExecutionStatus = "ExecutionStatus";

    private static readonly Dictionary<string, FilterField> Columns = new FilterField[]
    {
        new("WorkflowId", "workflow_id", IndexedValueType.Keyword),
        new("RunId", "run_id::text", IndexedValueType.Keyword),
        new("WorkflowType", "workflow_type", IndexedValueType.Keyword),
        new("TaskQueue", "task_queue", IndexedValueType.Keyword),
        new(ExecutionStatus, "status", IndexedValueType.Int),
        new("StartTime", "start_time", IndexedValueType.Datetime),
        new("ExecutionTime", "execution_time", IndexedValueType.Datetime),
        new("CloseTime", "close_time", IndexedValueType.Datetime),
        new("ExecutionDuration", "(extract(epoch from close_time - execution_time) * 1e9)::bigint", IndexedValueType.Int),
        new("HistoryLength", "history_length", IndexedValueType.Int),
        new("HistorySizeBytes", "history_bytes", IndexedValueType.Int),
        new("StateTransitionCount", "transitions", IndexedValueType.Int),
        new("ParentWorkflowId", "parent_workflow_id", IndexedValueType.Keyword),
        new("ParentRunId", "parent_run_id", IndexedValueType.Keyword),
        new("RootWorkflowId", "root_workflow_id", IndexedValueType.Keyword),
        new("RootRunId", "root_run_id", IndexedValueType.Keyword),
    }.ToDictionary(f => f.Name);

    /// <summary>Fields that every server has.</summary>
    public static IEnumerable<FilterField> System => Columns.Values;

    /// <param name="attributes">Types of the search attributes.</param>
    /// <exception cref="RpcError">INVALID_ARGUMENT if the field does not exist.</exception>
    public static FilterField Find(string name, IReadOnlyDictionary<string, IndexedValueType> attributes)
    {
        if (Columns.TryGetValue(name, out var column))
        {
            return column;
        }

        if (!attributes.TryGetValue(name, out var type))
        {
            throw RpcError.InvalidArgument($"invalid query: invalid search attribute: {name}");
        }

        // Names of search attributes are checked when they are added, but nothing here may rely on that.
        var key = $"'{name.Replace("'", "''", StringComparison.Ordinal)}'";
        var sql = type switch
        {
            IndexedValueType.Int or IndexedValueType.Double =>
                $"(CASE WHEN jsonb_typeof(search_attributes->{key}) = 'number' THEN (search_attributes->>{key})::numeric END)",
            IndexedValueType.Bool =>
                $"(CASE WHEN jsonb_typeof(search_attributes->{key}) = 'boolean' THEN (search_attributes->>{key})::boolean END)",
            IndexedValueType.Datetime => $"(search_attributes->>{key})::timestamptz",
            _ => $"(search_attributes->>{key})",
        };
        return new FilterField(name, sql, type, Attribute: true);
    }

    /// <summary>A literal of a filter as a parameter of this field's type.</summary>
    /// <exception cref="RpcError">INVALID_ARGUMENT where it is not of that type.</exception>
    public SqlValue Convert(FilterToken literal)
    {
        if (Name == ExecutionStatus)
        {
            return new(Status(literal), NpgsqlDbType.Integer);
        }

        if (Name == "ExecutionDuration" && Duration().Match(literal.Value) is { Success: true } match)
        {
            return new(Nanoseconds(match), NpgsqlDbType.Numeric);
        }

        return Type switch
        {
            IndexedValueType.Int or IndexedValueType.Double
                when decimal.TryParse(literal.Value, CultureInfo.InvariantCulture, out var number) =>
                    new(number, NpgsqlDbType.Numeric),
            IndexedValueType.Bool when bool.TryParse(literal.Value, out var flag) => new(flag, NpgsqlDbType.Boolean),
            IndexedValueType.Datetime when DateTimeOffset.TryParse(
                literal.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) =>
                new(time.UtcDateTime, NpgsqlDbType.TimestampTz),
            IndexedValueType.Keyword or IndexedValueType.KeywordList or IndexedValueType.Text => new(literal.Value, NpgsqlDbType.Text),
            _ => throw RpcError.InvalidArgument($"invalid query: '{literal.Value}' is no value for {Name}, which is of type {Type}"),
        };
    }

    /// <summary>The JSON documents that contain this attribute with this value, alone or in a list.</summary>
    public (string Single, string InList) Documents(string value) => (
        JsonSerializer.Serialize(new Dictionary<string, string> { [Name] = value }),
        JsonSerializer.Serialize(new Dictionary<string, string[]> { [Name] = [value] }));

    private static int Status(FilterToken literal)
    {
        if (int.TryParse(literal.Value, CultureInfo.InvariantCulture, out var number) && Enum.IsDefined((WorkflowExecutionStatus)number))
        {
            return number;
        }

        return Enum.TryParse(literal.Value.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out WorkflowExecutionStatus status)
            ? (int)status
            : throw RpcError.InvalidArgument($"invalid query: '{literal.Value}' is no ExecutionStatus");
    }

    private static decimal Nanoseconds(Match match)
    {
        decimal Part(string unit) => match.Groups[unit].Success ? decimal.Parse(match.Groups[unit].Value, CultureInfo.InvariantCulture) : 0;
        return ((Part("h") * 3600) + (Part("m") * 60) + Part("s")) * 1_000_000_000 + (Part("ms") * 1_000_000);
    }

    [GeneratedRegex(@"^(?=\d)(?:(?<h>[\d.]+)h)?(?:(?<m>[\d.]+)m(?!s))?(?:(?<s>[\d.]+)s)?(?:(?<ms>[\d.]+)ms)?$")]
    private static partial Regex Duration();
}
