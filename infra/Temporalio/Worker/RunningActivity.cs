using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>One attempt of an activity, from the task to the answer.</summary>
internal sealed class RunningActivity : IDisposable
{
    private readonly IWorkerClient client;
    private readonly TemporalWorkerOptions options;
    private readonly PollActivityTaskQueueResponse task;
    private readonly ActivityCancellation cancellation = new();
    private readonly ActivityHeartbeat heartbeat;
    private readonly ActivityExecutionContext context;
    private readonly CancellationToken givenUp;

    public RunningActivity(IWorkerClient client, TemporalWorkerOptions options, PollActivityTaskQueueResponse task, CancellationToken workerShutdown, CancellationToken givenUp)
    {
        this.givenUp = givenUp;
        this.client = client;
        this.options = options;
        this.task = task;
        heartbeat = new ActivityHeartbeat(client, options, task, cancellation);
        context = new ActivityExecutionContext(
            CreateInfo(),
            cancellation,
            workerShutdown,
            options.LoggerFactory!.CreateLogger($"Temporalio.Activity:{task.ActivityType.Name}"),
            client.Options.DataConverter.PayloadConverter,
            client as ITemporalClient,
            heartbeat.Record);
    }

    private DataConverter Converter => client.Options.DataConverter;

    public void Cancel(ActivityCancelReason reason) => cancellation.Cancel(reason);

    public void Dispose()
    {
        heartbeat.Dispose();
        cancellation.Dispose();
    }

    public async Task RunAsync(ActivityRegistry registry)
    {
        using var scope = context.Logger.BeginScope(context.Info.LoggerScope);
        // After its timeout the server starts the next attempt; two of them must not work at a time.
        using var timeout = new Timer(_ => cancellation.Cancel(ActivityCancelReason.Timeout));
        if (context.Info.StartToCloseTimeout is { } limit && limit.TotalMilliseconds < uint.MaxValue)
        {
            timeout.Change(limit, Timeout.InfiniteTimeSpan);
        }
        var tags = Telemetry.Tags(options.TaskQueue!, "activity_type", task.ActivityType.Name);
        Telemetry.ActivityScheduleToStart.Record((context.Info.StartedTime - context.Info.CurrentAttemptScheduledTime).TotalMilliseconds, tags);
        var began = Stopwatch.GetTimestamp();
        Payloads result;
        try
        {
            var value = await options.ActivityTaskFactory.StartNew(() => InvokeAsync(registry)).Unwrap();
            result = await Converter.ToPayloadsAsync([value]);
        }
        catch (CompleteAsyncException)
        {
            return;
        }
#pragma warning disable CA1031 // Every exception of user code is an outcome.
        catch (Exception e)
        {
            await heartbeat.StopAsync();
            Telemetry.ActivityFailures.Add(1, tags);
            await ReportAsync(e);
            return;
        }
#pragma warning restore CA1031
        finally
        {
            Telemetry.ActivityExecution.Record(Stopwatch.GetElapsedTime(began).TotalMilliseconds, tags);
        }
        await SendAsync(
            "RespondActivityTaskCompleted",
            new RespondActivityTaskCompletedRequest { TaskToken = task.TaskToken, Namespace = client.Options.Namespace, Identity = options.Identity, Result = result },
            RespondActivityTaskCompletedResponse.Parser);
        await heartbeat.StopAsync();
    }

    private async Task<object?> InvokeAsync(ActivityRegistry registry)
    {
        ActivityExecutionContext.AsyncLocalCurrent.Value = context;
        var definition = registry.Find(task.ActivityType.Name);
        return await definition.InvokeAsync(await ActivityArguments.DecodeAsync(definition, task.Input?.Payloads_.ToArray() ?? [], Converter));
    }

    private async Task ReportAsync(Exception error)
    {
        if (cancellation.Reason is ActivityCancelReason.CancelRequested or ActivityCancelReason.GoneFromServer && TemporalException.IsCanceledException(error))
        {
            context.Logger.LogDebug("Activity {ActivityType} was cancelled: {Reason}", task.ActivityType.Name, cancellation.Reason);
            await SendAsync(
                "RespondActivityTaskCanceled",
                new RespondActivityTaskCanceledRequest
                {
                    TaskToken = task.TaskToken,
                    Namespace = client.Options.Namespace,
                    Identity = options.Identity,
                    Details = await CancelDetailsAsync(error),
                },
                RespondActivityTaskCanceledResponse.Parser);
            return;
        }
        context.Logger.LogWarning(error, "Activity {ActivityType} of workflow {WorkflowId} failed, attempt {Attempt}", task.ActivityType.Name, context.Info.WorkflowId, task.Attempt);
        await SendAsync(
            "RespondActivityTaskFailed",
            new RespondActivityTaskFailedRequest
            {
                TaskToken = task.TaskToken,
                Namespace = client.Options.Namespace,
                Identity = options.Identity,
                Failure = await FailureAsync(error),
                // Throttled heartbeats have not been sent; the next attempt must see the last one all the same.
                LastHeartbeatDetails = await heartbeat.UnsentDetailsAsync(),
            },
            RespondActivityTaskFailedResponse.Parser);
    }

    private async Task<Failure> FailureAsync(Exception error)
    {
        if (heartbeat.Error is { } unconvertible)
        {
            error = new ApplicationFailureException("Failed recording heartbeat", unconvertible, errorType: unconvertible.GetType().Name);
        }
        else if (cancellation.Reason == ActivityCancelReason.WorkerShutdown && TemporalException.IsCanceledException(error))
        {
            // Not a cancellation for the workflow: another worker takes over.
            error = new ApplicationFailureException("Worker is shutting down and this activity did not complete in time", errorType: "WorkerShutdown");
        }
        else if (cancellation.Reason == ActivityCancelReason.Timeout && TemporalException.IsCanceledException(error))
        {
            error = new TimeoutFailureException("Activity ran longer than its start-to-close timeout", error, Api.Enums.V1.TimeoutType.StartToClose);
        }
        return await Converter.ToFailureAsync(error);
    }

    private async Task<Payloads?> CancelDetailsAsync(Exception error) =>
        error is CanceledFailureException { Details: OutboundFailureDetails { Count: > 0 } details } ? await Converter.ToPayloadsAsync(details.Details!) : null;

    // The work is done: the answer must arrive, however long the server is away. If the server has given the activity up by then, it says so.
    private async Task SendAsync<T>(string method, Google.Protobuf.IMessage request, Google.Protobuf.MessageParser<T> parser)
        where T : Google.Protobuf.IMessage<T>
    {
        try
        {
            await client.Connection.WorkflowService.CallPatientlyAsync(
                method, request, parser, new() { Timeout = TimeSpan.FromSeconds(30), CancellationToken = givenUp });
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            context.Logger.LogWarning(
                "Server no longer waits for activity {ActivityType} of workflow {WorkflowId}; its outcome is dropped", task.ActivityType.Name, context.Info.WorkflowId);
        }
    }

    private ActivityInfo CreateInfo() => new(
        ActivityId: task.ActivityId,
        ActivityType: task.ActivityType.Name,
        Attempt: task.Attempt,
        CurrentAttemptScheduledTime: task.CurrentAttemptScheduledTime?.ToDateTime() ?? task.ScheduledTime.ToDateTime(),
        DataConverter: Converter,
        HeartbeatDetails: task.HeartbeatDetails?.Payloads_.ToArray() ?? [],
        HeartbeatTimeout: task.HeartbeatTimeout.ToOptionalTimeSpan(),
        IsLocal: false,
        ScheduleToCloseTimeout: task.ScheduleToCloseTimeout.ToOptionalTimeSpan(),
        ScheduledTime: task.ScheduledTime.ToDateTime(),
        StartToCloseTimeout: task.StartToCloseTimeout.ToOptionalTimeSpan(),
        StartedTime: task.StartedTime.ToDateTime(),
        TaskQueue: options.TaskQueue!,
        TaskToken: task.TaskToken.ToByteArray(),
        WorkflowId: task.WorkflowExecution.WorkflowId,
        WorkflowNamespace: task.WorkflowNamespace,
        WorkflowRunId: task.WorkflowExecution.RunId,
        WorkflowType: task.WorkflowType.Name);
}
