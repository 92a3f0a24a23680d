using Microsoft.Extensions.Logging;
using Temporalio.Api.History.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Workflows;
using RetryPolicy = Temporalio.Common.RetryPolicy;

namespace Temporalio.Worker;

/// <summary>
/// One run of a workflow: its object, its tasks and what they wait for. It is the scheduler of these tasks, so that they run one after the
/// other in a fixed order. Used by one thread at a time.
/// </summary>
internal sealed partial class WorkflowInstance : TaskScheduler
{
    private readonly WorkflowInstanceDetails details;
    private readonly IPayloadConverter converter;
    private readonly IFailureConverter failureConverter;
    private readonly Execution.CommandLedger ledger = new();
    private readonly CancellationTokenSource cancellation = new();
    private readonly SearchAttributeCollection searchAttributes;
    private readonly Dictionary<string, IRawValue> memo;
    private readonly Dictionary<string, bool> patches = [];
    private object? instance;
    private object?[]? runArguments;
    private HashSet<string> patchesInHistory = [];
    private Exception? taskFailure;
    private bool mainStarted;

    /// <param name="details">What is fixed for the run.</param>
    /// <param name="started">The first event of its history.</param>
    /// <param name="firstTaskTime">When its first workflow task started.</param>
    public WorkflowInstance(WorkflowInstanceDetails details, HistoryEvent started, DateTime firstTaskTime)
    {
        this.details = details;
        converter = details.DataConverter.PayloadConverter;
        failureConverter = details.DataConverter.FailureConverter;
        var start = started.WorkflowExecutionStartedEventAttributes;
        Info = CreateInfo(details, start, started.EventTime.ToDateTime(), firstTaskTime);
        startInput = start.Input;
        memo = start.Memo?.Fields.ToDictionary(field => field.Key, field => (IRawValue)new RawValue(field.Value)) ?? [];
        searchAttributes = SearchAttributeCollection.FromProto(start.SearchAttributes);
        Random = new Execution.DeterministicRandom(start.OriginalExecutionRunId.Length > 0 ? start.OriginalExecutionRunId : details.RunId);
        Signals = new Dictionary<string, WorkflowSignalDefinition>(details.Definition.Signals);
        Queries = new Dictionary<string, WorkflowQueryDefinition>(details.Definition.Queries);
        Updates = new Dictionary<string, WorkflowUpdateDefinition>(details.Definition.Updates);
        dynamicSignal = details.Definition.DynamicSignal;
        DynamicQuery = details.Definition.DynamicQuery;
        DynamicUpdate = details.Definition.DynamicUpdate;
        Logger = new Execution.ReplaySafeLogger(details.LoggerFactory.CreateLogger($"Temporalio.Workflow:{Info.WorkflowType}"), () => IsReplaying);
    }

    public WorkflowInfo Info { get; }

    public ILogger Logger { get; }

    public Random Random { get; private set; }

    public DateTime UtcNow { get; private set; }

    public bool IsReplaying { get; private set; }

    public bool ContinueAsNewSuggested { get; private set; }

    public int CurrentHistoryLength { get; private set; }

    public int CurrentHistorySize { get; private set; }

    public string CurrentDetails { get; set; } = "";

    public CancellationToken CancellationToken => cancellation.Token;

    public IPayloadConverter PayloadConverter => converter;

    public IReadOnlyDictionary<string, IRawValue> Memo => memo;

    public SearchAttributeCollection TypedSearchAttributes => searchAttributes;

    /// <summary>Whether the run method has ended, so that no further task will come.</summary>
    public bool IsComplete => completion is not null;

    /// <summary>The workflow object; created in the workflow's context when first needed, since handlers may run before the run method.</summary>
    public object Instance
    {
        get
        {
            if (instance is null)
            {
                runArguments = DecodeArguments(details.Definition.RunMethod, startInput, $"Workflow {Info.WorkflowType}", details.Definition.Dynamic);
                instance = details.Definition.CreateInstance(runArguments);
            }
            return instance;
        }
    }

    private readonly Api.Common.V1.Payloads? startInput;

    public bool Patch(string patchId, bool deprecated)
    {
        if (patches.TryGetValue(patchId, out var known))
        {
            return known;
        }
        var patched = !IsReplaying || patchesInHistory.Contains(patchId);
        patches[patchId] = patched;
        if (patched)
        {
            ledger.Add(Execution.PatchMarker.Command(patchId, deprecated));
            if (!deprecated)
            {
                ledger.Add(Execution.PatchMarker.ChangeVersionCommand(patches.Where(patch => patch.Value).Select(patch => patch.Key).Order(StringComparer.Ordinal)));
            }
        }
        return patched;
    }

    private static WorkflowInfo CreateInfo(
        WorkflowInstanceDetails details, WorkflowExecutionStartedEventAttributes start, DateTime startTime, DateTime firstTaskTime)
    {
        var converter = details.DataConverter.PayloadConverter;
        return new(
            Attempt: start.Attempt,
            ContinuedRunId: start.ContinuedExecutionRunId.NullIfEmpty(),
            CronSchedule: start.CronSchedule.NullIfEmpty(),
            ExecutionTimeout: start.WorkflowExecutionTimeout.ToOptionalTimeSpan(),
            FirstExecutionRunId: start.FirstExecutionRunId,
            Headers: start.Header?.Fields.ToDictionary(field => field.Key, field => field.Value),
            LastFailure: start.ContinuedFailure is null ? null : details.DataConverter.FailureConverter.ToException(start.ContinuedFailure, converter),
            LastResult: start.LastCompletionResult?.Payloads_.Select(payload => new RawValue(payload)).ToArray(),
            Namespace: details.Namespace,
            Parent: start.ParentWorkflowExecution is { WorkflowId.Length: > 0 } parent
                ? new(start.ParentWorkflowNamespace, parent.RunId, parent.WorkflowId)
                : null,
            RetryPolicy: start.RetryPolicy is null ? null : RetryPolicy.FromProto(start.RetryPolicy),
            Root: start.RootWorkflowExecution is { WorkflowId.Length: > 0 } root && root.WorkflowId != details.WorkflowId
                ? new(root.RunId, root.WorkflowId)
                : null,
            RunId: details.RunId,
            RunTimeout: start.WorkflowRunTimeout.ToOptionalTimeSpan(),
            StartTime: firstTaskTime,
            TaskQueue: start.TaskQueue.Name,
            TaskTimeout: start.WorkflowTaskTimeout.ToOptionalTimeSpan() ?? TimeSpan.FromSeconds(10),
            WorkflowId: details.WorkflowId,
            WorkflowStartTime: startTime,
            WorkflowType: start.WorkflowType.Name);
    }

    private bool FailsWorkflow(Exception exception) => exception is FailureException or OperationCanceledException
        || details.FailureExceptionTypes.Concat(details.Definition.FailureExceptionTypes).Any(type => type.IsInstanceOfType(exception));
}
