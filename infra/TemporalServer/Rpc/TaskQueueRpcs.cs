using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Grpc;
using TemporalServer.Queues;

namespace TemporalServer.Rpc;

/// <summary>Task queues as such, and workers that leave.</summary>
internal sealed class TaskQueueRpcs(TaskQueues queues)
{
    public Task<ShutdownWorkerResponse> ShutdownWorkerAsync(ShutdownWorkerRequest request, CallContext call)
    {
        queues.EndPolls(request.Namespace, request.StickyTaskQueue, request.WorkerInstanceKey);
        return Task.FromResult(new ShutdownWorkerResponse());
    }

    public Task<DescribeTaskQueueResponse> DescribeTaskQueueAsync(DescribeTaskQueueRequest request, CallContext call)
    {
        if (request.TaskQueue is not { Name.Length: > 0 })
        {
            throw RpcError.InvalidArgument("TaskQueue is not set on request.");
        }

        var queue = queues[new QueueKey(request.Namespace, request.TaskQueue.Name, request.TaskQueueType == TaskQueueType.Activity)];
        var response = new DescribeTaskQueueResponse { Stats = new() { ApproximateBacklogCount = queue.Backlog, ApproximateBacklogAge = new() } };
        response.Pollers.Add(queue.Pollers().Select(p => new PollerInfo
        {
            Identity = p.Identity,
            LastAccessTime = Timestamp.FromDateTimeOffset(p.LastPoll),
            RatePerSecond = 100_000,
        }));
        return Task.FromResult(response);
    }
}
