using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;

namespace TemporalServer.Engine;

// Limits, in Temporal's wording. A command that exceeds one fails the workflow task, which a later answer may correct;
// a payload that no history should hold, or a history that has grown too long, ends the run.
internal sealed partial class WorkflowRun
{
    /// <summary>Why this running run has outgrown its history, or null.</summary>
    public string? Outgrown() =>
        !IsRunning ? null
        : State.HistoryBytes > Limits.HistoryBytes ? "Workflow history size exceeds limit."
        : _history.Count > Limits.HistoryEvents ? "Workflow history count exceeds limit."
        : null;

    /// <summary>Why one more update of this run cannot be taken, or null.</summary>
    /// <param name="waiting">Updates in memory that no worker has accepted.</param>
    public RpcError? NoRoomForUpdate(int waiting)
    {
        var open = waiting + State.Updates.Values.Count(u => u.CompletedEventId == 0);
        return open >= Limits.OpenUpdates
            ? new RpcError(
                StatusCode.ResourceExhausted, $"limit on number of concurrent in-flight updates has been reached ({Limits.OpenUpdates})",
                new Temporalio.Api.ErrorDetails.V1.ResourceExhaustedFailure
                {
                    Cause = ResourceExhaustedCause.ConcurrentLimit,
                    Scope = ResourceExhaustedScope.Namespace
                })
            : waiting + State.Updates.Count >= Limits.Updates
                ? new RpcError(StatusCode.FailedPrecondition, $"limit on number of total updates has been reached ({Limits.Updates})")
                : null;
    }

    private void EnsureRoomForSignal()
    {
        if (State.SignalCount >= Limits.Signals)
        {
            throw RpcError.InvalidArgument("exceeded workflow execution limit for signal events");
        }
    }

    private CommandFault? TooMany(IEnumerable<Command> commands)
    {
        int activities = State.Activities.Count, children = State.Children.Count;
        int signals = State.ExternalSignals.Count, cancels = State.ExternalCancels.Count;
        foreach (var command in commands)
        {
            var fault = command.AttributesCase switch
            {
                Command.AttributesOneofCase.ScheduleActivityTaskCommandAttributes =>
                    Above(activities++, "pending activities", WorkflowTaskFailedCause.PendingActivitiesLimitExceeded),
                Command.AttributesOneofCase.StartChildWorkflowExecutionCommandAttributes =>
                    Above(children++, "pending child workflow executions", WorkflowTaskFailedCause.PendingChildWorkflowsLimitExceeded),
                Command.AttributesOneofCase.SignalExternalWorkflowExecutionCommandAttributes =>
                    Above(signals++, "pending signals to external workflows", WorkflowTaskFailedCause.PendingSignalsLimitExceeded),
                Command.AttributesOneofCase.RequestCancelExternalWorkflowExecutionCommandAttributes =>
                    Above(
                        cancels++, "pending requests to cancel external workflows",
                        WorkflowTaskFailedCause.PendingRequestCancelLimitExceeded),
                _ => null,
            };
            if (fault is not null)
            {
                return fault;
            }
        }

        return null;
    }

    private CommandFault? Above(int pending, string what, WorkflowTaskFailedCause cause) => pending < Limits.Pending
        ? null
        : new(cause, $"the number of {what}, {pending}, has reached the per-workflow limit of {Limits.Pending}");

    private CommandFault? TooLarge(Command command) => command.AttributesCase switch
    {
        Command.AttributesOneofCase.ScheduleActivityTaskCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadScheduleActivityAttributes, "ScheduleActivityTaskCommandAttributes.Input",
            command.ScheduleActivityTaskCommandAttributes.Input),
        Command.AttributesOneofCase.RecordMarkerCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadRecordMarkerAttributes, "RecordMarkerCommandAttributes.Details",
            [.. command.RecordMarkerCommandAttributes.Details.Values]),
        Command.AttributesOneofCase.SignalExternalWorkflowExecutionCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadSignalWorkflowExecutionAttributes, "SignalExternalWorkflowExecutionCommandAttributes.Input",
            command.SignalExternalWorkflowExecutionCommandAttributes.Input),
        Command.AttributesOneofCase.StartChildWorkflowExecutionCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadStartChildExecutionAttributes, "StartChildWorkflowExecutionCommandAttributes. Input",
            command.StartChildWorkflowExecutionCommandAttributes.Input) ?? TooLarge(
            WorkflowTaskFailedCause.BadStartChildExecutionAttributes, "StartChildWorkflowExecutionCommandAttributes.Memo",
            command.StartChildWorkflowExecutionCommandAttributes.Memo),
        Command.AttributesOneofCase.UpsertWorkflowSearchAttributesCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadSearchAttributes, "UpsertWorkflowSearchAttributesCommandAttributes",
            command.UpsertWorkflowSearchAttributesCommandAttributes.SearchAttributes),
        Command.AttributesOneofCase.ModifyWorkflowPropertiesCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadModifyWorkflowPropertiesAttributes, "ModifyWorkflowPropertiesCommandAttributes",
            command.ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo),
        Command.AttributesOneofCase.CompleteWorkflowExecutionCommandAttributes => TooLarge(
            // An unexpected cause, but the one that Temporal's server gives.
            WorkflowTaskFailedCause.BadScheduleActivityAttributes, "CompleteWorkflowExecutionCommandAttributes.Result",
            command.CompleteWorkflowExecutionCommandAttributes.Result),
        Command.AttributesOneofCase.FailWorkflowExecutionCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadFailWorkflowExecutionAttributes, "FailWorkflowExecutionCommandAttributes.Failure",
            command.FailWorkflowExecutionCommandAttributes.Failure),
        Command.AttributesOneofCase.ContinueAsNewWorkflowExecutionCommandAttributes => TooLarge(
            WorkflowTaskFailedCause.BadContinueAsNewAttributes, "ContinueAsNewWorkflowExecutionCommandAttributes. Input",
            command.ContinueAsNewWorkflowExecutionCommandAttributes.Input) ?? TooLarge(
            WorkflowTaskFailedCause.BadContinueAsNewAttributes, "ContinueAsNewWorkflowExecutionCommandAttributes. Memo",
            command.ContinueAsNewWorkflowExecutionCommandAttributes.Memo),
        _ => null,
    };

    private CommandFault? TooLarge(IEnumerable<Message> messages) => messages
        .Select(m => TooLarge(
            WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage,
            $"Message type {Google.Protobuf.WellKnownTypes.Any.GetTypeName(m.Body?.TypeUrl ?? "")}", m.Body))
        .FirstOrDefault(fault => fault is not null);

    private CommandFault? TooLarge(WorkflowTaskFailedCause cause, string what, params IMessage?[] parts) =>
        parts.Sum(p => p?.CalculateSize() ?? 0) <= Limits.PayloadBytes ? null : new(cause, $"{what} exceeds size limit.", EndsRun: true);
}
