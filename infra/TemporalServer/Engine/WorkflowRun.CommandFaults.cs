using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace TemporalServer.Engine;

// Checks of a worker's answer before any part of it is applied.
internal sealed partial class WorkflowRun
{
    private CommandFault? Fault(RespondWorkflowTaskCompletedRequest request, UpdateInbox updates, Func<string, bool> isSearchAttribute) =>
        FirstBad(request.Commands, isSearchAttribute) ?? TooMany(request.Commands)
            ?? request.Commands.Select(TooLarge).FirstOrDefault(f => f is not null)
            ?? TooLarge(request.Messages) ?? FirstBad(request, updates);

    private CommandFault? FirstBad(IEnumerable<Command> commands, Func<string, bool> isSearchAttribute)
    {
        var activityIds = State.Activities.Values.Select(a => a.ActivityId).ToHashSet();
        var timerIds = new HashSet<string>();
        var cancelledTimerIds = new HashSet<string>();
        foreach (var command in commands)
        {
            var fault = command.AttributesCase switch
            {
                Command.AttributesOneofCase.ScheduleActivityTaskCommandAttributes =>
                    Fault(command.ScheduleActivityTaskCommandAttributes, activityIds),
                Command.AttributesOneofCase.RequestCancelActivityTaskCommandAttributes =>
                    State.Activities.ContainsKey(command.RequestCancelActivityTaskCommandAttributes.ScheduledEventId)
                    || IsActivityOver(command.RequestCancelActivityTaskCommandAttributes.ScheduledEventId)
                        ? null
                        : new(
                            WorkflowTaskFailedCause.BadRequestCancelActivityAttributes,
                            "ScheduledEventId is not set on RequestCancelActivityCommand or names no pending activity."),
                Command.AttributesOneofCase.StartTimerCommandAttributes =>
                    Fault(command.StartTimerCommandAttributes, timerIds, cancelledTimerIds),
                Command.AttributesOneofCase.CancelTimerCommandAttributes =>
                    Fault(command.CancelTimerCommandAttributes, timerIds, cancelledTimerIds),
                Command.AttributesOneofCase.StartChildWorkflowExecutionCommandAttributes =>
                    Fault(command.StartChildWorkflowExecutionCommandAttributes)
                    ?? Fault(command.StartChildWorkflowExecutionCommandAttributes.SearchAttributes, isSearchAttribute),
                Command.AttributesOneofCase.ContinueAsNewWorkflowExecutionCommandAttributes =>
                    Fault(command.ContinueAsNewWorkflowExecutionCommandAttributes.SearchAttributes, isSearchAttribute),
                Command.AttributesOneofCase.UpsertWorkflowSearchAttributesCommandAttributes =>
                    Fault(command.UpsertWorkflowSearchAttributesCommandAttributes.SearchAttributes, isSearchAttribute),
                Command.AttributesOneofCase.RecordMarkerCommandAttributes =>
                    command.RecordMarkerCommandAttributes.MarkerName.Length > 0
                        ? null
                        : new(WorkflowTaskFailedCause.BadRecordMarkerAttributes, "MarkerName is not set on RecordMarkerCommand."),
                Command.AttributesOneofCase.SignalExternalWorkflowExecutionCommandAttributes =>
                    command.SignalExternalWorkflowExecutionCommandAttributes is { Execution.WorkflowId.Length: > 0, SignalName.Length: > 0 }
                        ? null
                        : new(
                            WorkflowTaskFailedCause.BadSignalWorkflowExecutionAttributes,
                            "WorkflowId or SignalName is not set on SignalExternalWorkflowExecutionCommand."),
                Command.AttributesOneofCase.RequestCancelExternalWorkflowExecutionCommandAttributes =>
                    command.RequestCancelExternalWorkflowExecutionCommandAttributes.WorkflowId.Length > 0
                        ? null
                        : new(
                            WorkflowTaskFailedCause.BadRequestCancelExternalWorkflowExecutionAttributes,
                            "WorkflowId is not set on RequestCancelExternalWorkflowExecutionCommand."),
                Command.AttributesOneofCase.ScheduleNexusOperationCommandAttributes or
                Command.AttributesOneofCase.RequestCancelNexusOperationCommandAttributes =>
                    new(WorkflowTaskFailedCause.FeatureDisabled, "Nexus operations are not supported by this server."),
                _ => null,
            };
            if (fault is not null)
            {
                return fault;
            }

            if (IsClosing(command) && State.BufferedEventBytes.Count > 0)
            {
                return new(WorkflowTaskFailedCause.UnhandledCommand, "");
            }
        }

        return null;
    }

    private CommandFault? Fault(SearchAttributes? attributes, Func<string, bool> isSearchAttribute) =>
        SearchAttributeFaults.Fault(attributes, State.Namespace, isSearchAttribute) is { } text
            ? new(WorkflowTaskFailedCause.BadSearchAttributes, text)
            : null;

    private static bool IsClosing(Command command) => command.AttributesCase is
        Command.AttributesOneofCase.CompleteWorkflowExecutionCommandAttributes or
        Command.AttributesOneofCase.FailWorkflowExecutionCommandAttributes or
        Command.AttributesOneofCase.CancelWorkflowExecutionCommandAttributes or
        Command.AttributesOneofCase.ContinueAsNewWorkflowExecutionCommandAttributes;

    // Its closing event is buffered, so the worker could not know of it.
    private bool IsActivityOver(long scheduledEventId) =>
        State.BufferedEvents.Any(e => e.ActivityTaskStartedEventAttributes?.ScheduledEventId == scheduledEventId
            || e.ActivityTaskTimedOutEventAttributes?.ScheduledEventId == scheduledEventId);

    private static CommandFault? Fault(ScheduleActivityTaskCommandAttributes command, HashSet<string> activityIds)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadScheduleActivityAttributes;
        if (command.ActivityId.Length == 0)
        {
            return new(Bad, "ActivityId is not set on ScheduleActivityTaskCommand.");
        }

        if (command.ActivityType is not { Name.Length: > 0 })
        {
            return new(Bad, $"ActivityType is not set on ScheduleActivityTaskCommand. ActivityId={command.ActivityId}");
        }

        if (!command.ScheduleToCloseTimeout.IsSet() && !command.StartToCloseTimeout.IsSet())
        {
            return new(
                Bad,
                "A valid StartToClose or ScheduleToCloseTimeout is not set on ScheduleActivityTaskCommand. "
                + $"ActivityId={command.ActivityId} ActivityType={command.ActivityType.Name}");
        }

        if (RetryPolicies.Fault(command.RetryPolicy) is { } text)
        {
            return new(Bad, $"Invalid ActivityRetryPolicy for ScheduleActivityTaskCommand: {text} ActivityId={command.ActivityId}");
        }

        return activityIds.Add(command.ActivityId)
            ? null
            : new(WorkflowTaskFailedCause.ScheduleActivityDuplicateId, command.ActivityId);
    }

    private CommandFault? Fault(StartTimerCommandAttributes command, HashSet<string> started, HashSet<string> cancelled)
    {
        if (command.TimerId.Length == 0 || command.StartToFireTimeout is null)
        {
            return new(WorkflowTaskFailedCause.BadStartTimerAttributes, "TimerId or StartToFireTimeout is not set on StartTimerCommand.");
        }

        var taken = State.Timers.ContainsKey(command.TimerId) && !cancelled.Contains(command.TimerId);
        return taken || !started.Add(command.TimerId)
            ? new(WorkflowTaskFailedCause.StartTimerDuplicateId, command.TimerId)
            : null;
    }

    private CommandFault? Fault(CancelTimerCommandAttributes command, HashSet<string> started, HashSet<string> cancelled)
    {
        var again = !cancelled.Add(command.TimerId);
        return started.Remove(command.TimerId) || (!again && HasTimer(command.TimerId))
            ? null
            : new(WorkflowTaskFailedCause.BadCancelTimerAttributes, $"no timer {command.TimerId}");
    }

    private static CommandFault? Fault(StartChildWorkflowExecutionCommandAttributes command)
    {
        const WorkflowTaskFailedCause Bad = WorkflowTaskFailedCause.BadStartChildExecutionAttributes;
        if (command.WorkflowId.Length == 0)
        {
            return new(Bad, "Required field WorkflowId is not set on StartChildWorkflowExecutionCommand.");
        }

        if (command.WorkflowType is not { Name.Length: > 0 })
        {
            return new(
                Bad, $"Required field WorkflowType is not set on StartChildWorkflowExecutionCommand. WorkflowId={command.WorkflowId}");
        }

        if (command.CronSchedule.Length > 0)
        {
            return new(Bad, $"Cron schedules are not supported by this server. WorkflowId={command.WorkflowId}");
        }

        return RetryPolicies.Fault(command.RetryPolicy) is { } text
            ? new(Bad, $"Invalid WorkflowRetryPolicy for StartChildWorkflowExecutionCommand: {text} WorkflowId={command.WorkflowId}")
            : null;
    }
}
