using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>A client and worker moved by hand, one task at a time, on a task queue of its own.</summary>
public sealed class HandWorker(RawClient client)
{
    private const string Namespace = "default";

    public string Queue { get; private init; } = $"queue-{Guid.NewGuid():N}";

    public string WorkflowId { get; private init; } = $"workflow-{Guid.NewGuid():N}";

    /// <summary>A worker of another workflow on the same task queue, to be started as a child.</summary>
    public HandWorker Child() => new(client) { Queue = $"{Queue}-child" };

    /// <summary>The same client and worker, to continue with at a restarted server.</summary>
    public HandWorker At(RawClient next) => new(next) { Queue = Queue, WorkflowId = WorkflowId };

    public WorkflowExecution Execution => new() { WorkflowId = WorkflowId };

    public Task<StartWorkflowExecutionResponse> StartAsync(Action<StartWorkflowExecutionRequest>? change = null) =>
        client.CallAsync<StartWorkflowExecutionResponse>(StartRequest(change));

    public StartWorkflowExecutionRequest StartRequest(Action<StartWorkflowExecutionRequest>? change = null)
    {
        var request = new StartWorkflowExecutionRequest
        {
            Namespace = Namespace,
            WorkflowId = WorkflowId,
            WorkflowType = new() { Name = "Test" },
            TaskQueue = new() { Name = Queue },
            RequestId = Guid.NewGuid().ToString(),
            Identity = "test",
        };
        change?.Invoke(request);
        return request;
    }

    public async Task<PollWorkflowTaskQueueResponse> WorkflowTaskAsync(string? sticky = null)
    {
        var task = await client.CallAsync<PollWorkflowTaskQueueResponse>(new PollWorkflowTaskQueueRequest
        {
            Namespace = Namespace,
            Identity = "test",
            TaskQueue = sticky is null
                ? new() { Name = Queue, Kind = TaskQueueKind.Normal }
                : new() { Name = sticky, Kind = TaskQueueKind.Sticky, NormalName = Queue },
        });
        Assert.False(task.TaskToken.IsEmpty, "No workflow task came.");
        return task;
    }

    public async Task<PollActivityTaskQueueResponse> ActivityTaskAsync()
    {
        var task = await client.CallAsync<PollActivityTaskQueueResponse>(new PollActivityTaskQueueRequest
        {
            Namespace = Namespace,
            Identity = "test",
            TaskQueue = new() { Name = Queue },
        });
        Assert.False(task.TaskToken.IsEmpty, "No activity task came.");
        return task;
    }

    public Task<RespondWorkflowTaskCompletedResponse> AnswerAsync(PollWorkflowTaskQueueResponse task, params Command[] commands) =>
        AnswerAsync(task, _ => { }, commands);

    public Task<RespondWorkflowTaskCompletedResponse> AnswerAsync(
        PollWorkflowTaskQueueResponse task, Action<RespondWorkflowTaskCompletedRequest> change, params Command[] commands)
    {
        var request = new RespondWorkflowTaskCompletedRequest { Namespace = Namespace, TaskToken = task.TaskToken, Identity = "test" };
        request.Commands.Add(commands);
        change(request);
        return client.CallAsync<RespondWorkflowTaskCompletedResponse>(request);
    }

    public Task FailAsync(PollWorkflowTaskQueueResponse task) =>
        client.CallAsync<RespondWorkflowTaskFailedResponse>(new RespondWorkflowTaskFailedRequest
        {
            Namespace = Namespace,
            TaskToken = task.TaskToken,
            Cause = WorkflowTaskFailedCause.NonDeterministicError,
        });

    public Task CompleteAsync(PollActivityTaskQueueResponse task, string result) =>
        client.CallAsync<RespondActivityTaskCompletedResponse>(new RespondActivityTaskCompletedRequest
        {
            Namespace = Namespace,
            TaskToken = task.TaskToken,
            Result = Text(result),
        });

    public Task FailAsync(PollActivityTaskQueueResponse task, string message) =>
        client.CallAsync<RespondActivityTaskFailedResponse>(new RespondActivityTaskFailedRequest
        {
            Namespace = Namespace,
            TaskToken = task.TaskToken,
            Failure = new Failure { Message = message, ApplicationFailureInfo = new() { Type = "Test" } },
        });

    public Task HeartbeatAsync(PollActivityTaskQueueResponse task, string details) =>
        client.CallAsync<RecordActivityTaskHeartbeatResponse>(new RecordActivityTaskHeartbeatRequest
        {
            Namespace = Namespace,
            TaskToken = task.TaskToken,
            Details = Text(details),
        });

    public Task SignalAsync(string name, string requestId = "") =>
        client.CallAsync<SignalWorkflowExecutionResponse>(new SignalWorkflowExecutionRequest
        {
            Namespace = Namespace,
            WorkflowExecution = Execution,
            SignalName = name,
            RequestId = requestId,
        });

    /// <summary>Sends an update and waits until it has reached the given stage.</summary>
    public Task<UpdateWorkflowExecutionResponse> UpdateAsync(
        string name, string id, UpdateWorkflowExecutionLifecycleStage stage = UpdateWorkflowExecutionLifecycleStage.Completed) =>
        client.CallAsync<UpdateWorkflowExecutionResponse>(UpdateRequest(name, id, stage));

    public UpdateWorkflowExecutionRequest UpdateRequest(
        string name, string id, UpdateWorkflowExecutionLifecycleStage stage = UpdateWorkflowExecutionLifecycleStage.Completed) => new()
        {
            Namespace = Namespace,
            WorkflowExecution = Execution,
            Request = new() { Meta = new() { UpdateId = id }, Input = new() { Name = name } },
            WaitPolicy = new() { LifecycleStage = stage },
        };

    /// <summary>The messages by which a worker accepts an update and completes it at once.</summary>
    public static IEnumerable<Message> UpdateAnswers(string id)
    {
        yield return new()
        {
            Id = $"{id}/accept",
            ProtocolInstanceId = id,
            Body = Any.Pack(new Acceptance { AcceptedRequestMessageId = $"{id}/request" })
        };
        yield return new()
        {
            Id = $"{id}/complete",
            ProtocolInstanceId = id,
            Body = Any.Pack(new Response { Meta = new() { UpdateId = id }, Outcome = new() { Success = Text(id) } }),
        };
    }

    /// <summary>The types of all events so far, in order.</summary>
    public async Task<IReadOnlyList<EventType>> EventsAsync() => [.. (await HistoryAsync()).Select(e => e.EventType)];

    /// <summary>All events so far, in order; ids are checked to have no gap.</summary>
    /// <param name="runId">Empty for the current run.</param>
    public async Task<IReadOnlyList<HistoryEvent>> HistoryAsync(string runId = "")
    {
        var response = await client.CallAsync<GetWorkflowExecutionHistoryResponse>(
            new GetWorkflowExecutionHistoryRequest { Namespace = Namespace, Execution = new() { WorkflowId = WorkflowId, RunId = runId } });
        Assert.Equal(
            Enumerable.Range(1, response.History.Events.Count).Select(i => (long)i), response.History.Events.Select(e => e.EventId));
        return response.History.Events;
    }

    public async Task<WorkflowExecutionStatus> StatusAsync(string runId = "") => (await DescribeAsync(runId)).WorkflowExecutionInfo.Status;

    public Task<DescribeWorkflowExecutionResponse> DescribeAsync(string runId = "") => client.CallAsync<DescribeWorkflowExecutionResponse>(
        new DescribeWorkflowExecutionRequest { Namespace = Namespace, Execution = new() { WorkflowId = WorkflowId, RunId = runId } });

    public static Command Complete() => new()
    {
        CommandType = CommandType.CompleteWorkflowExecution,
        CompleteWorkflowExecutionCommandAttributes = new(),
    };

    public static Command Fail(string message) => new()
    {
        CommandType = CommandType.FailWorkflowExecution,
        FailWorkflowExecutionCommandAttributes = new() { Failure = new Failure { Message = message, ApplicationFailureInfo = new() } },
    };

    public static Command StartTimer(string id, TimeSpan time) => new()
    {
        CommandType = CommandType.StartTimer,
        StartTimerCommandAttributes = new() { TimerId = id, StartToFireTimeout = Duration.FromTimeSpan(time) },
    };

    public Command StartChild(HandWorker child) => new()
    {
        CommandType = CommandType.StartChildWorkflowExecution,
        StartChildWorkflowExecutionCommandAttributes = new()
        {
            WorkflowId = child.WorkflowId,
            WorkflowType = new() { Name = "Child" },
            TaskQueue = new() { Name = child.Queue },
        },
    };

    public Command ScheduleActivity(string id, Action<ScheduleActivityTaskCommandAttributes>? change = null)
    {
        var attributes = new ScheduleActivityTaskCommandAttributes
        {
            ActivityId = id,
            ActivityType = new() { Name = "Work" },
            TaskQueue = new() { Name = Queue },
            StartToCloseTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20)),
            RetryPolicy = new() { InitialInterval = Duration.FromTimeSpan(TimeSpan.FromMilliseconds(10)) },
        };
        change?.Invoke(attributes);
        return new() { CommandType = CommandType.ScheduleActivityTask, ScheduleActivityTaskCommandAttributes = attributes };
    }

    public static Payloads Text(string text)
    {
        var payload = new Payload { Data = ByteString.CopyFromUtf8($"\"{text}\"") };
        payload.Metadata["encoding"] = ByteString.CopyFromUtf8("json/plain");
        return new Payloads { Payloads_ = { payload } };
    }
}
