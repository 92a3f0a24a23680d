using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>
/// Plays the server for one workflow run: the test says what happens, the script writes the history, and in the end the history is replayed
/// over a fresh instance. No time passes and nothing is concurrent.
/// </summary>
internal sealed class HistoryScript
{
    private static readonly IPayloadConverter Converter = DataConverter.Default.PayloadConverter;

    private readonly WorkflowDefinition definition;
    private readonly List<HistoryEvent> events = [];
    private readonly Dictionary<string, long> scheduledActivities = [];
    private readonly Dictionary<string, long> startedTimers = [];
    private readonly Dictionary<string, long> initiatedChildren = [];
    private readonly List<UpdateRequest> updates = [];
    private readonly DateTime start = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private Func<LocalActivityTask, LocalActivityOutcome> runLocally = task => throw new InvalidOperationException($"Nobody runs {task.Type}");
    private WorkflowInstance? instance;
    private int taken;

    private HistoryScript(System.Type type, object?[] arguments)
    {
        definition = WorkflowDefinition.Create(type);
        Add(EventType.WorkflowExecutionStarted, evt => evt.WorkflowExecutionStartedEventAttributes = new()
        {
            WorkflowType = new() { Name = definition.Name },
            TaskQueue = new() { Name = "queue" },
            Input = Payloads(arguments),
            Attempt = 1,
            OriginalExecutionRunId = "run-1",
            FirstExecutionRunId = "run-1",
            WorkflowTaskTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(10)),
        });
    }

    /// <summary>The last event of the history.</summary>
    public HistoryEvent Last => events[^1];

    public WorkflowInstance Instance => instance!;

    public WorkflowHistory History => new("workflow-1", events);

    public static HistoryScript Of<T>(params object?[] arguments) => new(typeof(T), arguments);

    /// <summary>Says how local activities end.</summary>
    public HistoryScript RunningLocally(Func<string, object?> run)
    {
        runLocally = task => new(task.Sequence, task.Id, task.Type, task.Attempt, Payloads([run(task.Type)]), null);
        return this;
    }

    /// <summary>Runs a workflow task with what has happened since the last one, and records its commands.</summary>
    public IReadOnlyList<Command> RunTask(int seconds = 0)
    {
        Add(EventType.WorkflowTaskScheduled, evt => evt.WorkflowTaskScheduledEventAttributes = new(), seconds);
        Add(EventType.WorkflowTaskStarted, evt => evt.WorkflowTaskStartedEventAttributes = new());
        instance ??= new(
            new(definition, "default", "workflow-1", "run-1", DataConverter.Default, Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, []),
            events[0],
            start);
        var chunk = new HistoryChunk(events.Skip(taken).ToArray(), Last);
        taken = events.Count;
        instance.Activate(WorkflowActivation.Live(chunk, updates.ToArray()));
        while (instance.TakeLocalActivities() is { Count: > 0 } local)
        {
            foreach (var activity in local)
            {
                instance.ResolveLocalActivity(runLocally(activity));
            }
        }
        updates.Clear();
        var commands = instance.TakeCommands();
        var messages = instance.TakeMessages().ToDictionary(message => message.Id);
        Add(EventType.WorkflowTaskCompleted, evt => evt.WorkflowTaskCompletedEventAttributes = new());
        foreach (var command in commands)
        {
            Record(command, messages);
        }
        return commands;
    }

    public void CompleteActivity(string id, object? result) => Add(
        EventType.ActivityTaskCompleted,
        evt => evt.ActivityTaskCompletedEventAttributes = new() { ScheduledEventId = scheduledActivities[id], Result = Payloads([result]) });

    public void FailActivity(string id, Exception error) => Add(
        EventType.ActivityTaskFailed,
        evt => evt.ActivityTaskFailedEventAttributes = new()
        {
            ScheduledEventId = scheduledActivities[id],
            Failure = new DefaultFailureConverter().ToFailure(error, Converter),
            RetryState = RetryState.MaximumAttemptsReached,
        });

    public void CancelActivity(string id) => Add(
        EventType.ActivityTaskCanceled, evt => evt.ActivityTaskCanceledEventAttributes = new() { ScheduledEventId = scheduledActivities[id] });

    public void FireTimer(string id) => Add(
        EventType.TimerFired, evt => evt.TimerFiredEventAttributes = new() { TimerId = id, StartedEventId = startedTimers[id] });

    public void Signal(string name, params object?[] arguments) => Add(
        EventType.WorkflowExecutionSignaled, evt => evt.WorkflowExecutionSignaledEventAttributes = new() { SignalName = name, Input = Payloads(arguments) });

    public void RequestCancel() => Add(
        EventType.WorkflowExecutionCancelRequested, evt => evt.WorkflowExecutionCancelRequestedEventAttributes = new());

    public void StartChild(string id) => Add(
        EventType.ChildWorkflowExecutionStarted,
        evt => evt.ChildWorkflowExecutionStartedEventAttributes = new() { InitiatedEventId = initiatedChildren[id], WorkflowExecution = Execution(id) });

    public void CompleteChild(string id, object? result) => Add(
        EventType.ChildWorkflowExecutionCompleted,
        evt => evt.ChildWorkflowExecutionCompletedEventAttributes = new() { InitiatedEventId = initiatedChildren[id], WorkflowExecution = Execution(id), Result = Payloads([result]) });

    public void FailChild(string id, Failure failure) => Add(
        EventType.ChildWorkflowExecutionFailed,
        evt => evt.ChildWorkflowExecutionFailedEventAttributes = new() { InitiatedEventId = initiatedChildren[id], WorkflowExecution = Execution(id), Failure = failure });

    public void Update(string id, string name, params object?[] arguments) => updates.Add(new(
        id,
        id + "/request",
        events.Count,
        new() { Meta = new() { UpdateId = id }, Input = new() { Name = name, Args = Payloads(arguments) } },
        IsAccepted: false));

    public T Query<T>(string name, params object?[] arguments)
    {
        var answer = Instance.Query(new WorkflowQuery { QueryType = name, QueryArgs = Payloads(arguments) });
        return answer.ResultType == QueryResultType.Answered
            ? Converter.ToValue<T>(answer.Answer.Payloads_[0])
            : throw new WorkflowQueryFailedException(answer.ErrorMessage);
    }

    /// <summary>Result of the completed workflow.</summary>
    public T Result<T>() => Converter.ToValue<T>(Last.WorkflowExecutionCompletedEventAttributes.Result.Payloads_[0]);

    /// <summary>Replays the history, with the same class or a changed one.</summary>
    public Task ReplayAsync(System.Type? changed = null)
    {
        var workflow = WorkflowDefinition.Create(changed ?? definition.Type, definition.Name, null);
        return new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow(workflow)).ReplayWorkflowAsync(History);
    }

    private static Payloads Payloads(object?[] values) => new() { Payloads_ = { values.Select(Converter.ToPayload) } };

    private static WorkflowExecution Execution(string id) => new() { WorkflowId = id, RunId = id + "-run" };

    private HistoryEvent Add(EventType type, Action<HistoryEvent> fill, int seconds = 0)
    {
        var time = events.Count == 0 ? start : events[^1].EventTime.ToDateTime();
        var evt = new HistoryEvent { EventId = events.Count + 1, EventType = type, EventTime = Timestamp.FromDateTime(time.AddSeconds(seconds)) };
        fill(evt);
        events.Add(evt);
        return evt;
    }

    private void Record(Command command, Dictionary<string, global::Temporalio.Api.Protocol.V1.Message> messages)
    {
        switch (command.CommandType)
        {
            case CommandType.ScheduleActivityTask:
                var schedule = command.ScheduleActivityTaskCommandAttributes;
                scheduledActivities[schedule.ActivityId] = Add(
                    EventType.ActivityTaskScheduled,
                    evt => evt.ActivityTaskScheduledEventAttributes = new() { ActivityId = schedule.ActivityId, ActivityType = schedule.ActivityType, Input = schedule.Input }).EventId;
                break;
            case CommandType.RequestCancelActivityTask:
                Add(EventType.ActivityTaskCancelRequested, evt => evt.ActivityTaskCancelRequestedEventAttributes = new() { ScheduledEventId = command.RequestCancelActivityTaskCommandAttributes.ScheduledEventId });
                break;
            case CommandType.StartTimer:
                var timer = command.StartTimerCommandAttributes;
                startedTimers[timer.TimerId] = Add(EventType.TimerStarted, evt => evt.TimerStartedEventAttributes = new() { TimerId = timer.TimerId, StartToFireTimeout = timer.StartToFireTimeout }).EventId;
                break;
            case CommandType.CancelTimer:
                Add(EventType.TimerCanceled, evt => evt.TimerCanceledEventAttributes = new() { TimerId = command.CancelTimerCommandAttributes.TimerId });
                break;
            case CommandType.StartChildWorkflowExecution:
                var child = command.StartChildWorkflowExecutionCommandAttributes;
                initiatedChildren[child.WorkflowId] = Add(
                    EventType.StartChildWorkflowExecutionInitiated,
                    evt => evt.StartChildWorkflowExecutionInitiatedEventAttributes = new() { WorkflowId = child.WorkflowId, WorkflowType = child.WorkflowType }).EventId;
                break;
            case CommandType.RequestCancelExternalWorkflowExecution:
                Add(EventType.RequestCancelExternalWorkflowExecutionInitiated, evt => evt.RequestCancelExternalWorkflowExecutionInitiatedEventAttributes = new()
                {
                    WorkflowExecution = new() { WorkflowId = command.RequestCancelExternalWorkflowExecutionCommandAttributes.WorkflowId },
                });
                break;
            case CommandType.RecordMarker:
                var marker = command.RecordMarkerCommandAttributes;
                Add(EventType.MarkerRecorded, evt => evt.MarkerRecordedEventAttributes = new() { MarkerName = marker.MarkerName, Details = { marker.Details }, Failure = marker.Failure });
                break;
            case CommandType.UpsertWorkflowSearchAttributes:
                Add(EventType.UpsertWorkflowSearchAttributes, evt => evt.UpsertWorkflowSearchAttributesEventAttributes = new() { SearchAttributes = command.UpsertWorkflowSearchAttributesCommandAttributes.SearchAttributes });
                break;
            case CommandType.ModifyWorkflowProperties:
                Add(EventType.WorkflowPropertiesModified, evt => evt.WorkflowPropertiesModifiedEventAttributes = new() { UpsertedMemo = command.ModifyWorkflowPropertiesCommandAttributes.UpsertedMemo });
                break;
            case CommandType.ProtocolMessage:
                RecordMessage(messages[command.ProtocolMessageCommandAttributes.MessageId]);
                break;
            case CommandType.CompleteWorkflowExecution:
                Add(EventType.WorkflowExecutionCompleted, evt => evt.WorkflowExecutionCompletedEventAttributes = new() { Result = command.CompleteWorkflowExecutionCommandAttributes.Result });
                break;
            case CommandType.FailWorkflowExecution:
                Add(EventType.WorkflowExecutionFailed, evt => evt.WorkflowExecutionFailedEventAttributes = new() { Failure = command.FailWorkflowExecutionCommandAttributes.Failure });
                break;
            case CommandType.CancelWorkflowExecution:
                Add(EventType.WorkflowExecutionCanceled, evt => evt.WorkflowExecutionCanceledEventAttributes = new());
                break;
            case CommandType.ContinueAsNewWorkflowExecution:
                Add(EventType.WorkflowExecutionContinuedAsNew, evt => evt.WorkflowExecutionContinuedAsNewEventAttributes = new() { Input = command.ContinueAsNewWorkflowExecutionCommandAttributes.Input });
                break;
            default:
                throw new InvalidOperationException($"The script does not know {command.CommandType}");
        }
    }

    private void RecordMessage(global::Temporalio.Api.Protocol.V1.Message message)
    {
        if (message.Body.TryUnpack<global::Temporalio.Api.Update.V1.Acceptance>(out var acceptance))
        {
            Add(EventType.WorkflowExecutionUpdateAccepted, evt => evt.WorkflowExecutionUpdateAcceptedEventAttributes = new()
            {
                ProtocolInstanceId = message.ProtocolInstanceId,
                AcceptedRequestMessageId = acceptance.AcceptedRequestMessageId,
                AcceptedRequestSequencingEventId = acceptance.AcceptedRequestSequencingEventId,
                AcceptedRequest = acceptance.AcceptedRequest,
            });
        }
        else
        {
            var response = message.Body.Unpack<global::Temporalio.Api.Update.V1.Response>();
            Add(EventType.WorkflowExecutionUpdateCompleted, evt => evt.WorkflowExecutionUpdateCompletedEventAttributes = new() { Meta = response.Meta, Outcome = response.Outcome });
        }
    }
}
