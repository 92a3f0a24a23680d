using Google.Protobuf;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <summary>An activity that somebody else than its worker completes.</summary>
public class AsyncActivityHandle
{
    private readonly ITemporalClient client;
    private readonly ByteString? taskToken;
    private readonly Reference? reference;

    internal AsyncActivityHandle(ITemporalClient client, byte[]? taskToken, Reference? reference)
    {
        this.client = client;
        this.taskToken = taskToken is null ? null : ByteString.CopyFrom(taskToken);
        this.reference = reference;
    }

    /// <summary>Tells the server that the activity is alive.</summary>
    /// <exception cref="AsyncActivityCanceledException">The activity was asked to cancel.</exception>
    /// <exception cref="RpcException">The server does not know the activity any more.</exception>
    public async Task HeartbeatAsync(AsyncActivityHeartbeatOptions? options = null)
    {
        var details = await client.Options.DataConverter.ToPayloadsAsync(options?.Details ?? []);
        var rpc = TemporalClient.Retrying(options?.Rpc);
        var canceled = taskToken is not null
            ? (await client.WorkflowService.RecordActivityTaskHeartbeatAsync(
                new() { Namespace = client.Options.Namespace, TaskToken = taskToken, Details = details, Identity = client.Connection.Options.Identity }, rpc)).CancelRequested
            : (await client.WorkflowService.RecordActivityTaskHeartbeatByIdAsync(
                new()
                {
                    Namespace = client.Options.Namespace,
                    WorkflowId = reference!.WorkflowId,
                    RunId = reference.RunId,
                    ActivityId = reference.ActivityId,
                    Details = details,
                    Identity = client.Connection.Options.Identity,
                },
                rpc)).CancelRequested;
        if (canceled)
        {
            throw new AsyncActivityCanceledException();
        }
    }

    /// <summary>Completes the activity.</summary>
    /// <exception cref="RpcException">The server does not know the activity any more.</exception>
    public async Task CompleteAsync<T>(T result, RpcOptions? rpcOptions = null)
    {
        var payloads = await client.Options.DataConverter.ToPayloadsAsync([result]);
        var rpc = TemporalClient.Retrying(rpcOptions);
        _ = taskToken is not null
            ? (IMessage)await client.WorkflowService.RespondActivityTaskCompletedAsync(
                new() { Namespace = client.Options.Namespace, TaskToken = taskToken, Result = payloads, Identity = client.Connection.Options.Identity }, rpc)
            : await client.WorkflowService.RespondActivityTaskCompletedByIdAsync(
                new()
                {
                    Namespace = client.Options.Namespace,
                    WorkflowId = reference!.WorkflowId,
                    RunId = reference.RunId,
                    ActivityId = reference.ActivityId,
                    Result = payloads,
                    Identity = client.Connection.Options.Identity,
                },
                rpc);
    }

    /// <summary>Fails the activity.</summary>
    /// <exception cref="RpcException">The server does not know the activity any more.</exception>
    public async Task FailAsync(Exception exception, RpcOptions? rpcOptions = null)
    {
        var failure = await client.Options.DataConverter.ToFailureAsync(exception);
        var rpc = TemporalClient.Retrying(rpcOptions);
        _ = taskToken is not null
            ? (IMessage)await client.WorkflowService.RespondActivityTaskFailedAsync(
                new() { Namespace = client.Options.Namespace, TaskToken = taskToken, Failure = failure, Identity = client.Connection.Options.Identity }, rpc)
            : await client.WorkflowService.RespondActivityTaskFailedByIdAsync(
                new()
                {
                    Namespace = client.Options.Namespace,
                    WorkflowId = reference!.WorkflowId,
                    RunId = reference.RunId,
                    ActivityId = reference.ActivityId,
                    Failure = failure,
                    Identity = client.Connection.Options.Identity,
                },
                rpc);
    }

    internal record Reference(string WorkflowId, string RunId, string ActivityId);
}

/// <summary>Options of a heartbeat from elsewhere.</summary>
public class AsyncActivityHeartbeatOptions
{
    /// <summary>Details, for the next attempt.</summary>
    public IReadOnlyCollection<object?>? Details { get; set; }

    /// <summary>Options of the call.</summary>
    public RpcOptions? Rpc { get; set; }
}
