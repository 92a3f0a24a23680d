using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Signals and cancel requests to other workflows.</content>
internal sealed partial class WorkflowInstance
{
    // By the ID of the event that initiated them.
    private readonly Dictionary<long, TaskCompletionSource> externals = [];

    public ExternalWorkflowHandle<TWorkflow> GetExternalWorkflowHandle<TWorkflow>(string id, string? runId) =>
        new ExternalHandle<TWorkflow>(this, id, runId);

    private async Task SignalExternalAsync(
        string id, string? runId, bool childOnly, string signal, IReadOnlyCollection<object?> arguments, CancellationToken token)
    {
        if (token.IsCancellationRequested)
        {
            throw new CanceledFailureException("Signal cancelled before scheduled");
        }
        var delivered = new TaskCompletionSource();
        var command = ledger.Add(new(
            new Command
            {
                CommandType = CommandType.SignalExternalWorkflowExecution,
                SignalExternalWorkflowExecutionCommandAttributes = new()
                {
                    Execution = new() { WorkflowId = id, RunId = runId ?? "" },
                    SignalName = signal,
                    Input = converter.ToPayloads(arguments),
                    ChildWorkflowOnly = childOnly,
                },
            },
            EventType.SignalExternalWorkflowExecutionInitiated,
            $"signal {signal} to {id}",
            evt => PendingCommand.Compare("signal", evt.SignalExternalWorkflowExecutionInitiatedEventAttributes.SignalName, signal)
                ?? PendingCommand.Compare("workflow ID", evt.SignalExternalWorkflowExecutionInitiatedEventAttributes.WorkflowExecution.WorkflowId, id),
            evt => externals[evt.EventId] = delivered));
        using var onCancel = token.Register(() =>
        {
            // Once sent, a signal cannot be called back.
            if (ledger.Withdraw(command))
            {
                delivered.TrySetException(new CanceledFailureException("Signal was cancelled before being sent"));
            }
        });
        await delivered.Task;
    }

    private Task RequestCancelAsync(string id, string? runId, bool childOnly, string reason)
    {
        var delivered = new TaskCompletionSource();
        ledger.Add(new(
            new Command
            {
                CommandType = CommandType.RequestCancelExternalWorkflowExecution,
                RequestCancelExternalWorkflowExecutionCommandAttributes = new()
                {
                    WorkflowId = id,
                    RunId = runId ?? "",
                    ChildWorkflowOnly = childOnly,
                    Reason = reason,
                },
            },
            EventType.RequestCancelExternalWorkflowExecutionInitiated,
            $"cancel of {id}",
            evt => PendingCommand.Compare("workflow ID", evt.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes.WorkflowExecution.WorkflowId, id),
            evt => externals[evt.EventId] = delivered));
        return delivered.Task;
    }

    private void ResolveExternal(HistoryEvent evt)
    {
        var (initiated, failure) = evt switch
        {
            { ExternalWorkflowExecutionSignaledEventAttributes: { } done } => (done.InitiatedEventId, null),
            { ExternalWorkflowExecutionCancelRequestedEventAttributes: { } done } => (done.InitiatedEventId, null),
            { SignalExternalWorkflowExecutionFailedEventAttributes: { } failed } =>
                (failed.InitiatedEventId, $"Unable to signal external workflow because {Reason(failed.Cause.ToString())}"),
            _ => (evt.RequestCancelExternalWorkflowExecutionFailedEventAttributes.InitiatedEventId,
                $"Unable to cancel external workflow because {Reason(evt.RequestCancelExternalWorkflowExecutionFailedEventAttributes.Cause.ToString())}"),
        };
        if (!externals.Remove(initiated, out var delivered))
        {
            return;
        }
        if (failure is null)
        {
            delivered.TrySetResult();
        }
        else
        {
            delivered.TrySetException(new ApplicationFailureException(failure, errorType: "ExternalWorkflowExecutionNotFound"));
        }
    }

    private static string Reason(string cause) => cause.Contains("NotFound", StringComparison.Ordinal) ? "it was not found" : $"of {cause}";

    private sealed class ExternalHandle<TWorkflow>(WorkflowInstance workflow, string id, string? runId) : ExternalWorkflowHandle<TWorkflow>
    {
        public override string Id => id;

        public override string? RunId => runId;

        public override Task SignalAsync(string signal, IReadOnlyCollection<object?> args, ExternalWorkflowSignalOptions? options = null) =>
            workflow.SignalExternalAsync(id, runId, childOnly: false, signal, args, options?.CancellationToken ?? workflow.CancellationToken);

        public override Task CancelAsync() => workflow.RequestCancelAsync(id, runId, childOnly: false, "");
    }
}
