using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

/// <summary>A worker's answer that cannot be accepted; the workflow task counts as failed.</summary>
/// <param name="EndsRun">No other answer can correct it, so the run is terminated.</param>
internal sealed record CommandFault(WorkflowTaskFailedCause Cause, string Message, bool EndsRun = false)
{
    /// <summary>The text that history and the worker get.</summary>
    public string Text => Message.Length > 0 ? $"{Cause}: {Message}" : Cause.ToString();
}

// A worker's answer to a workflow task: commands become events.
internal sealed partial class WorkflowRun
{
    private bool _newTaskNeeded;

    /// <summary>
    /// Applies a worker's answer. Returns the activities to hand to that worker at once, or the reason why the task failed instead.
    /// </summary>
    /// <param name="isSearchAttribute">Whether a search attribute of this name exists.</param>
    public (IReadOnlyList<Activity> Eager, CommandFault? Fault) CompleteWorkflowTask(
        WorkflowTask task, RespondWorkflowTaskCompletedRequest request, UpdateInbox updates, Func<string, bool> isSearchAttribute)
    {
        if (Fault(request, updates, isSearchAttribute) is { } fault)
        {
            FailWorkflowTask(fault.Cause, new() { Message = fault.Text, Source = "Server", ServerFailureInfo = new() }, request.Identity);
            if (fault.EndsRun)
            {
                Terminate(fault.Text, null, ServerIdentity);
            }

            return ([], fault);
        }

        if (task.Attempt > 1)
        {
            AddWorkflowTaskScheduled(task);
            AddWorkflowTaskStarted(task);
        }

        var completed = Add(new HistoryEvent
        {
            WorkflowTaskCompletedEventAttributes = new()
            {
                ScheduledEventId = task.ScheduledEventId,
                StartedEventId = task.StartedEventId,
                Identity = request.Identity,
                SdkMetadata = request.SdkMetadata,
                MeteringMetadata = request.MeteringMetadata,
                BinaryChecksum = request.BinaryChecksum,
                WorkerVersion = request.WorkerVersionStamp,
            },
        });
        State.Task = null;
        State.TaskAttempt = 1;
        State.LastStartedEventId = task.StartedEventId;
        State.Sticky = request.StickyAttributes is { WorkerTaskQueue.Name.Length: > 0 } sticky
            ? new Sticky { Queue = sticky.WorkerTaskQueue.Name, ScheduleToStartTimeout = sticky.ScheduleToStartTimeout }
            : null;

        _newTaskNeeded = request.ForceCreateNewWorkflowTask;
        var eager = new List<Activity>();
        var messages = new UpdateMessages(request.Messages);
        foreach (var command in request.Commands)
        {
            if (!IsRunning)
            {
                break;
            }

            Apply(command, completed.EventId, request.Identity, messages, updates);
            if (command.ScheduleActivityTaskCommandAttributes is { RequestEagerExecution: true } wanted)
            {
                eager.Add(State.Activities.Values.First(a => a.ActivityId == wanted.ActivityId));
            }
        }

        ApplyRemaining(messages, updates);
        if (!IsRunning)
        {
            return ([], null);
        }

        StartEagerly(eager, request.Identity);
        if (FlushBufferedEvents() || _newTaskNeeded || updates.HasWaiting)
        {
            ScheduleWorkflowTask();
        }

        return (eager, null);
    }

    private void StartEagerly(List<Activity> eager, string identity)
    {
        // Cancelled by a later command of the same answer.
        eager.RemoveAll(a => !State.Activities.ContainsKey(a.ScheduledEventId));
        foreach (var activity in eager)
        {
            StartActivity(activity.ScheduledEventId, activity.Attempt, Guid.NewGuid().ToString(), identity);
        }

        _tasks.RemoveAll(t => t.Kind == TaskKind.Activity && eager.Any(a => a.ScheduledEventId == t.ScheduledEventId));
    }

    private void Apply(Command command, long completedEventId, string identity, UpdateMessages messages, UpdateInbox updates)
    {
        switch (command.AttributesCase)
        {
            case Command.AttributesOneofCase.ScheduleActivityTaskCommandAttributes:
                ScheduleActivity(command.ScheduleActivityTaskCommandAttributes, command, completedEventId);
                break;
            case Command.AttributesOneofCase.RequestCancelActivityTaskCommandAttributes:
                RequestCancelActivity(command.RequestCancelActivityTaskCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.StartTimerCommandAttributes:
                StartTimer(command.StartTimerCommandAttributes, command, completedEventId);
                break;
            case Command.AttributesOneofCase.CancelTimerCommandAttributes:
                CancelTimer(command.CancelTimerCommandAttributes, completedEventId, identity);
                break;
            case Command.AttributesOneofCase.StartChildWorkflowExecutionCommandAttributes:
                StartChild(command.StartChildWorkflowExecutionCommandAttributes, command, completedEventId);
                break;
            case Command.AttributesOneofCase.SignalExternalWorkflowExecutionCommandAttributes:
                SignalExternal(command.SignalExternalWorkflowExecutionCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.RequestCancelExternalWorkflowExecutionCommandAttributes:
                CancelExternal(command.RequestCancelExternalWorkflowExecutionCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.RecordMarkerCommandAttributes:
                RecordMarker(command.RecordMarkerCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.UpsertWorkflowSearchAttributesCommandAttributes:
                UpsertSearchAttributes(command.UpsertWorkflowSearchAttributesCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.ModifyWorkflowPropertiesCommandAttributes:
                UpsertMemo(command.ModifyWorkflowPropertiesCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.ProtocolMessageCommandAttributes:
                ApplyMessage(messages.Take(command.ProtocolMessageCommandAttributes.MessageId), updates);
                break;
            case Command.AttributesOneofCase.CompleteWorkflowExecutionCommandAttributes:
                CompleteWorkflow(command.CompleteWorkflowExecutionCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.FailWorkflowExecutionCommandAttributes:
                FailWorkflow(command.FailWorkflowExecutionCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.CancelWorkflowExecutionCommandAttributes:
                CancelWorkflow(command.CancelWorkflowExecutionCommandAttributes, completedEventId);
                break;
            case Command.AttributesOneofCase.ContinueAsNewWorkflowExecutionCommandAttributes:
                ContinueAsNew(command.ContinueAsNewWorkflowExecutionCommandAttributes, completedEventId);
                break;
        }
    }

    private void RecordMarker(RecordMarkerCommandAttributes command, long completedEventId)
    {
        var attributes = new MarkerRecordedEventAttributes
        {
            MarkerName = command.MarkerName,
            WorkflowTaskCompletedEventId = completedEventId,
            Header = command.Header,
            Failure = command.Failure,
        };
        attributes.Details.Add(command.Details);
        Add(new HistoryEvent { MarkerRecordedEventAttributes = attributes });
    }

    private void UpsertSearchAttributes(UpsertWorkflowSearchAttributesCommandAttributes command, long completedEventId)
    {
        Add(new HistoryEvent
        {
            UpsertWorkflowSearchAttributesEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedEventId,
                SearchAttributes = command.SearchAttributes,
            },
        });
        Merge(command.SearchAttributes);
    }

    private void Merge(SearchAttributes changes)
    {
        var merged = State.SearchAttributes ?? new();
        foreach ((var key, var value) in changes.IndexedFields)
        {
            merged.IndexedFields[key] = value;
        }

        State.SearchAttributes = merged;
        VisibilityChanged = true;
    }

    private void UpsertMemo(ModifyWorkflowPropertiesCommandAttributes command, long completedEventId)
    {
        Add(new HistoryEvent
        {
            WorkflowPropertiesModifiedEventAttributes = new()
            {
                WorkflowTaskCompletedEventId = completedEventId,
                UpsertedMemo = command.UpsertedMemo,
            },
        });
        Merge(command.UpsertedMemo);
    }

    private void Merge(Memo changes)
    {
        var merged = State.Memo ?? new();
        foreach ((var key, var value) in changes.Fields)
        {
            if (value.Data.IsEmpty && value.Metadata.TryGetValue("encoding", out var encoding) && encoding.ToStringUtf8() == "binary/null")
            {
                merged.Fields.Remove(key);
            }
            else
            {
                merged.Fields[key] = value;
            }
        }

        State.Memo = merged;
        VisibilityChanged = true;
    }
}
