using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.TaskQueue.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Queues;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>Describes task queues and lists their partitions.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<TaskQueueRpcs>), "Bind")]
internal class TaskQueueRpcs(TaskQueues queues)
{
    public virtual Task<DescribeTaskQueueResponse> DescribeTaskQueue(DescribeTaskQueueRequest request, ServerCallContext call)
    {
        if (request.TaskQueue is not { Name.Length: > 0 })
        {
            throw RpcError.InvalidArgument("TaskQueue is not set on request.");
        }

        var queue = queues[new QueueKey(
            request.Namespace, request.TaskQueue.Name, request.TaskQueueType == TaskQueueType.Activity)];
        (var backlog, var age) = queue.Backlog();
        var response = new DescribeTaskQueueResponse
        {
            Stats = new() { ApproximateBacklogCount = backlog, ApproximateBacklogAge = Duration.FromTimeSpan(age) },
            TaskQueueStatus = request.IncludeTaskQueueStatus ? new() { BacklogCountHint = backlog } : null,
        };
        response.Pollers.Add(queue.Pollers().Select(p => new PollerInfo
        {
            Identity = p.Identity,
            LastAccessTime = Timestamp.FromDateTimeOffset(p.LastPoll),
            RatePerSecond = 100_000,
        }));
        return Task.FromResult(response);
    }

    /// <summary>A queue of this server has one partition.</summary>
    public virtual Task<ListTaskQueuePartitionsResponse> ListTaskQueuePartitions(
        ListTaskQueuePartitionsRequest request, ServerCallContext call)
    {
        var partition = new TaskQueuePartitionMetadata { Key = request.TaskQueue?.Name ?? "", OwnerHostName = Environment.MachineName };
        var response = new ListTaskQueuePartitionsResponse();
        response.WorkflowTaskQueuePartitions.Add(partition);
        response.ActivityTaskQueuePartitions.Add(partition);
        return Task.FromResult(response);
    }
}
