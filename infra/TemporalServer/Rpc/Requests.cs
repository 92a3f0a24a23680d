using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>What requests share: how they name a run, and the checks of a start.</summary>
internal static class Requests
{
    private const int LongestId = 1000;

    /// <exception cref="RpcError">INVALID_ARGUMENT if the workflow id is missing or the run id is not a UUID.</exception>
    public static RunAddress Address(string ns, WorkflowExecution? execution)
    {
        if (execution is not { WorkflowId.Length: > 0 })
        {
            throw RpcError.InvalidArgument("WorkflowId is not set on request.");
        }

        if (execution.RunId.Length > 0 && !Guid.TryParse(execution.RunId, out _))
        {
            throw RpcError.InvalidArgument("Invalid RunId.");
        }

        return new RunAddress(ns, execution.WorkflowId, execution.RunId);
    }

    /// <exception cref="RpcError">INVALID_ARGUMENT where the parts together are larger than a payload may be.</exception>
    public static void EnsureFit(ServerLimits limits, params IMessage?[] parts)
    {
        if (parts.Sum(p => p?.CalculateSize() ?? 0) > limits.PayloadBytes)
        {
            throw RpcError.InvalidArgument("Blob data size exceeds limit.");
        }
    }

    /// <summary>A signal-with-start as the start that it contains.</summary>
    public static StartWorkflowExecutionRequest AsStart(this SignalWithStartWorkflowExecutionRequest request) => new()
    {
        Namespace = request.Namespace,
        WorkflowId = request.WorkflowId,
        WorkflowType = request.WorkflowType,
        TaskQueue = request.TaskQueue,
        Input = request.Input,
        WorkflowExecutionTimeout = request.WorkflowExecutionTimeout,
        WorkflowRunTimeout = request.WorkflowRunTimeout,
        WorkflowTaskTimeout = request.WorkflowTaskTimeout,
        Identity = request.Identity,
        RequestId = request.RequestId,
        WorkflowIdReusePolicy = request.WorkflowIdReusePolicy,
        WorkflowIdConflictPolicy = request.WorkflowIdConflictPolicy,
        RetryPolicy = request.RetryPolicy,
        CronSchedule = request.CronSchedule,
        Memo = request.Memo,
        SearchAttributes = request.SearchAttributes,
        Header = request.Header,
        WorkflowStartDelay = request.WorkflowStartDelay,
        UserMetadata = request.UserMetadata,
        Priority = request.Priority,
        VersioningOverride = request.VersioningOverride,
    };

    /// <summary>Checks a start and turns it into what the engine needs.</summary>
    /// <exception cref="RpcError">INVALID_ARGUMENT.</exception>
    public static RunStart Checked(this StartWorkflowExecutionRequest request, ServerLimits limits, SearchAttributeTypes attributes)
    {
        EnsureFit(limits, request.Input);
        if (request.Memo?.CalculateSize() > limits.PayloadBytes)
        {
            throw RpcError.InvalidArgument("Memo size exceeds limit.");
        }

        if (Fault(request, attributes) is { } fault)
        {
            throw RpcError.InvalidArgument(fault);
        }

        VersioningRpcs.EnsureUnversioned(request.VersioningOverride);

        return new RunStart(request.Namespace, Guid.NewGuid().ToString(), new WorkflowExecutionStartedEventAttributes
        {
            WorkflowId = request.WorkflowId,
            WorkflowType = request.WorkflowType,
            TaskQueue = new() { Name = request.TaskQueue.Name, Kind = TaskQueueKind.Normal },
            Input = request.Input,
            WorkflowExecutionTimeout = request.WorkflowExecutionTimeout,
            WorkflowRunTimeout = request.WorkflowRunTimeout,
            WorkflowTaskTimeout = request.WorkflowTaskTimeout,
            Identity = request.Identity,
            RetryPolicy = request.RetryPolicy,
            Memo = request.Memo,
            SearchAttributes = request.SearchAttributes,
            Header = request.Header,
            FirstWorkflowTaskBackoff = request.WorkflowStartDelay,
            ContinuedFailure = request.ContinuedFailure,
            LastCompletionResult = request.LastCompletionResult,
            Priority = request.Priority,
        }, request.RequestId, request.UserMetadata);
    }

    private static string? Fault(StartWorkflowExecutionRequest request, SearchAttributeTypes attributes)
    {
        if (request.WorkflowId.Length is 0 or > LongestId)
        {
            return request.WorkflowId.Length == 0 ? "WorkflowId is not set on request." : "WorkflowId length exceeds limit.";
        }

        if (request.WorkflowType is not { Name.Length: > 0 and <= LongestId })
        {
            return "WorkflowType is not set on request or too long.";
        }

        if (request.TaskQueue is not { Name.Length: > 0 and <= LongestId })
        {
            return "TaskQueue is not set on request or too long.";
        }

        if (request.CronSchedule.Length > 0)
        {
            return "Cron schedules are not supported by this server.";
        }

        if (request.WorkflowIdReusePolicy == WorkflowIdReusePolicy.TerminateIfRunning
            && request.WorkflowIdConflictPolicy != WorkflowIdConflictPolicy.Unspecified)
        {
            return "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING cannot be used together with a "
                + "WorkflowIDConflictPolicy.";
        }

        if (request.WorkflowIdReusePolicy == WorkflowIdReusePolicy.RejectDuplicate
            && request.WorkflowIdConflictPolicy == WorkflowIdConflictPolicy.TerminateExisting)
        {
            return "Invalid WorkflowIDReusePolicy: WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE cannot be used together with "
                + "WorkflowIdConflictPolicy WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING";
        }

        return RetryPolicies.Fault(request.RetryPolicy)
            ?? SearchAttributeFaults.Fault(request.SearchAttributes, request.Namespace, attributes.IsDefined);
    }
}
