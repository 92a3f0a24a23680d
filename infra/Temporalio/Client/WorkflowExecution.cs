using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Converters;

namespace Temporalio.Client;

/// <summary>A workflow run as lists show it.</summary>
public class WorkflowExecution
{
    private readonly Lazy<IReadOnlyDictionary<string, IEncodedRawValue>> memo;
    private readonly Lazy<SearchAttributeCollection> searchAttributes;

    internal WorkflowExecution(WorkflowExecutionInfo rawInfo, DataConverter dataConverter)
    {
        RawInfo = rawInfo;
        memo = new(() => rawInfo.Memo?.Fields.ToDictionary(field => field.Key, field => (IEncodedRawValue)new EncodedRawValue(dataConverter, field.Value)) ?? []);
        searchAttributes = new(() => SearchAttributeCollection.FromProto(rawInfo.SearchAttributes));
    }

    /// <summary>When it closed.</summary>
    public DateTime? CloseTime => RawInfo.CloseTime?.ToDateTime();

    /// <summary>When its first workflow task was due.</summary>
    public DateTime? ExecutionTime => RawInfo.ExecutionTime?.ToDateTime();

    /// <summary>Number of events.</summary>
    public int HistoryLength => (int)RawInfo.HistoryLength;

    /// <summary>Workflow ID.</summary>
    public string Id => RawInfo.Execution.WorkflowId;

    /// <summary>Memo.</summary>
    public IReadOnlyDictionary<string, IEncodedRawValue> Memo => memo.Value;

    /// <summary>Workflow ID of the parent.</summary>
    public string? ParentId => RawInfo.ParentExecution?.WorkflowId.NullIfEmpty();

    /// <summary>Run ID of the parent.</summary>
    public string? ParentRunId => RawInfo.ParentExecution?.RunId.NullIfEmpty();

    /// <summary>Run ID.</summary>
    public string RunId => RawInfo.Execution.RunId;

    /// <summary>When it started.</summary>
    public DateTime StartTime => RawInfo.StartTime.ToDateTime();

    /// <summary>Status.</summary>
    public WorkflowExecutionStatus Status => RawInfo.Status;

    /// <summary>Task queue.</summary>
    public string TaskQueue => RawInfo.TaskQueue;

    /// <summary>Search attributes.</summary>
    public SearchAttributeCollection TypedSearchAttributes => searchAttributes.Value;

    /// <summary>Type name.</summary>
    public string WorkflowType => RawInfo.Type.Name;

    internal WorkflowExecutionInfo RawInfo { get; }
}

/// <summary>A workflow run with what only a description tells.</summary>
/// <remarks>Pending activities and their heartbeats are in the answer of <see cref="WorkflowService.DescribeWorkflowExecutionAsync"/>.</remarks>
public class WorkflowExecutionDescription : WorkflowExecution
{
    internal WorkflowExecutionDescription(DescribeWorkflowExecutionResponse rawDescription, DataConverter dataConverter, string? summary, string? details)
        : base(rawDescription.WorkflowExecutionInfo, dataConverter) => (RawDescription, StaticSummary, StaticDetails) = (rawDescription, summary, details);

    /// <summary>One line about the workflow.</summary>
    public string? StaticSummary { get; }

    /// <summary>More about the workflow.</summary>
    public string? StaticDetails { get; }

    internal DescribeWorkflowExecutionResponse RawDescription { get; }
}

/// <summary>How many workflows a query finds.</summary>
/// <param name="Count">Workflows in all.</param>
/// <param name="Groups">Workflows by group, where the query groups.</param>
public record WorkflowExecutionCount(long Count, IReadOnlyCollection<WorkflowExecutionCount.AggregationGroup> Groups)
{
    /// <summary>One group.</summary>
    /// <param name="Count">Workflows in the group.</param>
    /// <param name="GroupValues">Values that make the group.</param>
    public record AggregationGroup(long Count, IReadOnlyCollection<object> GroupValues);
}
