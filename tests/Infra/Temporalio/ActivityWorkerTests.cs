using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Activities;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>The activity side of a worker, against a server that the tests script.</summary>
public sealed class ActivityWorkerTests
{
    private static readonly IPayloadConverter Converter = DataConverter.Default.PayloadConverter;

    [Fact]
    public async Task Heartbeats_are_throttled_and_a_failure_brings_the_last_one()
    {
        await using var server = await ScriptedServer.StartAsync();
        var heartbeats = new ConcurrentQueue<string>();
        server.On<RecordActivityTaskHeartbeatRequest>("RecordActivityTaskHeartbeat", request =>
        {
            heartbeats.Enqueue(request.Details.Payloads_[0].Data.ToStringUtf8());
            return new RecordActivityTaskHeartbeatResponse();
        });
        var failed = Expect<RespondActivityTaskFailedRequest>(server, "RespondActivityTaskFailed", new RespondActivityTaskFailedResponse());
        HandOut(server, Task("Beats", heartbeatSeconds: 60));

        await RunWorkerAsync(server, new Acts { Beaten = () => heartbeats.IsEmpty }, () => failed.Task);

        var request = await failed.Task;
        Assert.Equal(["0"], heartbeats);
        Assert.Equal("99", request.LastHeartbeatDetails.Payloads_[0].Data.ToStringUtf8());
        Assert.Equal("InvalidOperationException", request.Failure.ApplicationFailureInfo.Type);
    }

    [Fact]
    public async Task Heartbeat_details_of_the_attempt_before_can_be_read()
    {
        await using var server = await ScriptedServer.StartAsync();
        var completed = Expect<RespondActivityTaskCompletedRequest>(server, "RespondActivityTaskCompleted", new RespondActivityTaskCompletedResponse());
        var task = Task("Resume", attempt: 2);
        task.HeartbeatDetails = new() { Payloads_ = { Converter.ToPayload(41), Converter.ToPayload("checkpoint") } };
        HandOut(server, task);

        await RunWorkerAsync(server, new Acts(), () => completed.Task);

        Assert.Equal("\"2: 41 checkpoint\"", (await completed.Task).Result.Payloads_[0].Data.ToStringUtf8());
    }

    [Fact]
    public async Task Cancellation_comes_with_a_heartbeat_s_answer()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.On<RecordActivityTaskHeartbeatRequest>("RecordActivityTaskHeartbeat", _ => new RecordActivityTaskHeartbeatResponse { CancelRequested = true });
        var canceled = Expect<RespondActivityTaskCanceledRequest>(server, "RespondActivityTaskCanceled", new RespondActivityTaskCanceledResponse());
        HandOut(server, Task("Wait", heartbeatSeconds: 1));
        var acts = new Acts();

        await RunWorkerAsync(server, acts, () => canceled.Task);

        Assert.Equal(ActivityCancelReason.CancelRequested, acts.Reason);
    }

    [Fact]
    public async Task A_finished_activity_is_reported_when_the_lost_server_is_back()
    {
        var server = await ScriptedServer.StartAsync();
        HandOut(server, Task("Finish"));
        var acts = new Acts();
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        using var worker = new TemporalWorker(client, new TemporalWorkerOptions("queue").AddAllActivities(acts));
        using var stop = new CancellationTokenSource();
        var running = worker.ExecuteAsync(stop.Token);
        await acts.Started.Task;

        await server.DisposeAsync();
        acts.MayFinish.SetResult();
        await using var again = await ScriptedServer.StartAsync(server.Port);
        var completed = Expect<RespondActivityTaskCompletedRequest>(again, "RespondActivityTaskCompleted", new RespondActivityTaskCompletedResponse());

        Assert.Equal("\"done\"", (await completed.Task.WaitAsync(TimeSpan.FromSeconds(30))).Result.Payloads_[0].Data.ToStringUtf8());
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task Shutdown_gives_notice_then_time_then_cancels()
    {
        await using var server = await ScriptedServer.StartAsync();
        var failed = Expect<RespondActivityTaskFailedRequest>(server, "RespondActivityTaskFailed", new RespondActivityTaskFailedResponse());
        HandOut(server, Task("Wait"));
        var acts = new Acts();

        await RunWorkerAsync(server, acts, () => acts.Started.Task, TimeSpan.FromMilliseconds(50));

        Assert.True(acts.SawShutdown);
        Assert.Equal(ActivityCancelReason.WorkerShutdown, acts.Reason);
        // A failure, so that another worker takes over.
        Assert.Equal("WorkerShutdown", (await failed.Task).Failure.ApplicationFailureInfo.Type);
    }

    [Fact]
    public async Task An_unknown_activity_and_unreadable_arguments_fail_with_a_reason()
    {
        await using var server = await ScriptedServer.StartAsync();
        var failures = new ConcurrentQueue<string>();
        var both = new TaskCompletionSource();
        server.On<RespondActivityTaskFailedRequest>("RespondActivityTaskFailed", request =>
        {
            failures.Enqueue(request.Failure.Message);
            if (failures.Count == 2)
            {
                both.SetResult();
            }
            return new RespondActivityTaskFailedResponse();
        });
        HandOut(server, Task("Unknown"), Task("Resume", input: ["not a number"]));

        await RunWorkerAsync(server, new Acts(), () => both.Task);

        Assert.Contains(failures, message => message.StartsWith("Activity Unknown is not registered on this worker, available activities: Beats, Finish", StringComparison.Ordinal));
        Assert.Contains("Activity Resume had failure decoding parameter 1", failures);
    }

    private static async Task RunWorkerAsync(ScriptedServer server, Acts acts, Func<Task> until, TimeSpan? grace = null)
    {
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var options = new TemporalWorkerOptions("queue") { GracefulShutdownTimeout = grace ?? TimeSpan.Zero }.AddAllActivities(acts);
        using var worker = new TemporalWorker(client, options);
        await worker.ExecuteAsync(() => until().WaitAsync(TimeSpan.FromSeconds(30)));
    }

    private static TaskCompletionSource<TRequest> Expect<TRequest>(ScriptedServer server, string method, IMessage answer)
        where TRequest : IMessage<TRequest>, new()
    {
        var source = new TaskCompletionSource<TRequest>(TaskCreationOptions.RunContinuationsAsynchronously);
        server.On<TRequest>(method, request =>
        {
            source.TrySetResult(request);
            return answer;
        });
        return source;
    }

    private static void HandOut(ScriptedServer server, params PollActivityTaskQueueResponse[] tasks)
    {
        var left = new ConcurrentQueue<PollActivityTaskQueueResponse>(tasks);
        server.On<PollActivityTaskQueueRequest>("PollActivityTaskQueue", async (_, http) =>
        {
            if (left.TryDequeue(out var task))
            {
                return task;
            }
            await System.Threading.Tasks.Task.Delay(Timeout.Infinite, http.RequestAborted);
            throw new OperationCanceledException();
        });
    }

    private static PollActivityTaskQueueResponse Task(string type, int heartbeatSeconds = 0, int attempt = 1, object?[]? input = null)
    {
        var now = Timestamp.FromDateTime(DateTime.UtcNow);
        return new()
        {
            TaskToken = ByteString.CopyFromUtf8(type),
            ActivityId = "1",
            ActivityType = new() { Name = type },
            Attempt = attempt,
            HeartbeatTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(heartbeatSeconds)),
            ScheduledTime = now,
            StartedTime = now,
            WorkflowExecution = new() { WorkflowId = "workflow", RunId = "run" },
            WorkflowType = new() { Name = "Workflow" },
            WorkflowNamespace = "default",
            Input = new() { Payloads_ = { (input ?? []).Select(Converter.ToPayload) } },
        };
    }

    public class Acts
    {
        public TaskCompletionSource Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayFinish { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Func<bool> Beaten { get; init; } = () => false;

        public ActivityCancelReason Reason { get; private set; }

        public bool SawShutdown { get; private set; }

        [Activity]
        public async Task BeatsAsync()
        {
            var context = ActivityExecutionContext.Current;
            context.Heartbeat(0);
            while (Beaten())
            {
                await System.Threading.Tasks.Task.Yield();
            }
            for (var i = 1; i < 100; i++)
            {
                context.Heartbeat(i);
            }
            throw new InvalidOperationException("broken");
        }

        [Activity]
        public async Task<string> ResumeAsync(int start = 0)
        {
            var info = ActivityExecutionContext.Current.Info;
            return $"{info.Attempt}: {await info.HeartbeatDetailAtAsync<int>(start)} {await info.HeartbeatDetailAtAsync<string>(1)}";
        }

        [Activity]
        public async Task WaitAsync()
        {
            var context = ActivityExecutionContext.Current;
            context.Heartbeat();
            Started.TrySetResult();
            try
            {
                await System.Threading.Tasks.Task.Delay(Timeout.Infinite, context.CancellationToken);
            }
            finally
            {
                Reason = context.CancelReason;
                SawShutdown = context.WorkerShutdownToken.IsCancellationRequested;
            }
        }

        [Activity]
        public async Task<string> FinishAsync()
        {
            Started.TrySetResult();
            await MayFinish.Task;
            return "done";
        }
    }
}
