using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Temporalio.Api.Worker.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Queues;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>
/// Workers: what they report of themselves, and their shutdown. Kept in memory, as each worker reports again every minute.
/// </summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<WorkerRpcs>), "Bind")]
internal class WorkerRpcs(TaskQueues queues, LongPolls polls, TimeProvider clock)
{
    private const int DefaultPageSize = 100;
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<(string Namespace, string Key), (WorkerHeartbeat Heartbeat, DateTimeOffset At)> _workers = new();

    public virtual Task<RecordWorkerHeartbeatResponse> RecordWorkerHeartbeat(RecordWorkerHeartbeatRequest request, ServerCallContext call)
    {
        foreach (var heartbeat in request.WorkerHeartbeat)
        {
            Note(request.Namespace, heartbeat);
        }

        return Task.FromResult(new RecordWorkerHeartbeatResponse());
    }

    public virtual Task<ShutdownWorkerResponse> ShutdownWorker(ShutdownWorkerRequest request, ServerCallContext call)
    {
        if (request.WorkerHeartbeat is { } last)
        {
            Note(request.Namespace, last);
        }

        queues.EndPolls(request.Namespace, request.StickyTaskQueue, request.WorkerInstanceKey);
        return Task.FromResult(new ShutdownWorkerResponse());
    }

    public virtual Task<ListWorkersResponse> ListWorkers(ListWorkersRequest request, ServerCallContext call)
    {
        // The token is the last key of the previous page.
        var after = request.NextPageToken.ToStringUtf8();
        var size = request.PageSize > 0 ? request.PageSize : DefaultPageSize;
        WorkerHeartbeat[] page = [.. Matching(request.Namespace, request.Query)
            .Where(w => string.CompareOrdinal(w.WorkerInstanceKey, after) > 0)
            .OrderBy(w => w.WorkerInstanceKey, StringComparer.Ordinal).Take(size + 1)];
        var response = new ListWorkersResponse();
        response.Workers.Add(page.Take(size).Select(Listed));
        response.WorkersInfo.Add(page.Take(size).Select(w => new WorkerInfo { WorkerHeartbeat = w }));
        response.NextPageToken = page.Length > size ? ByteString.CopyFromUtf8(page[size - 1].WorkerInstanceKey) : ByteString.Empty;
        return Task.FromResult(response);
    }

    public virtual Task<CountWorkersResponse> CountWorkers(CountWorkersRequest request, ServerCallContext call) =>
        Task.FromResult(new CountWorkersResponse { Count = Matching(request.Namespace, request.Query).Count() });

    public virtual Task<DescribeWorkerResponse> DescribeWorker(DescribeWorkerRequest request, ServerCallContext call)
    {
        var worker = Matching(request.Namespace, "").FirstOrDefault(w => w.WorkerInstanceKey == request.WorkerInstanceKey)
            ?? throw RpcError.NotFound($"Worker {request.WorkerInstanceKey} is not found.");
        return Task.FromResult(new DescribeWorkerResponse { WorkerInfo = new() { WorkerHeartbeat = worker } });
    }

    /// <summary>This server has no Nexus, so the poll always ends empty at its deadline.</summary>
    public virtual async Task<PollNexusTaskQueueResponse> PollNexusTaskQueue(PollNexusTaskQueueRequest request, ServerCallContext call)
    {
        using var poll = polls.Begin(call, LongestPoll);
        await Task.Delay(Timeout.InfiniteTimeSpan, poll.Over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return new();
    }

    private void Note(string ns, WorkerHeartbeat heartbeat) => _workers[(ns, heartbeat.WorkerInstanceKey)] = (heartbeat, clock.GetUtcNow());

    private IEnumerable<WorkerHeartbeat> Matching(string ns, string query)
    {
        if (query.Length > 0)
        {
            throw RpcError.InvalidArgument("This server lists workers without a query only.");
        }

        var now = clock.GetUtcNow();
        foreach ((var key, var worker) in _workers)
        {
            if (worker.At < now - Remembered)
            {
                _workers.TryRemove(KeyValuePair.Create(key, worker));
            }
            else if (key.Namespace == ns)
            {
                var heartbeat = worker.Heartbeat.Clone();
                heartbeat.ElapsedSinceLastHeartbeat = Duration.FromTimeSpan(now - worker.At);
                yield return heartbeat;
            }
        }
    }

    private static WorkerListInfo Listed(WorkerHeartbeat worker) => new()
    {
        WorkerInstanceKey = worker.WorkerInstanceKey,
        WorkerIdentity = worker.WorkerIdentity,
        TaskQueue = worker.TaskQueue,
        DeploymentVersion = worker.DeploymentVersion,
        SdkName = worker.SdkName,
        SdkVersion = worker.SdkVersion,
        Status = worker.Status,
        StartTime = worker.StartTime,
        HostName = worker.HostInfo?.HostName ?? "",
        WorkerGroupingKey = worker.HostInfo?.WorkerGroupingKey ?? "",
        ProcessId = worker.HostInfo?.ProcessId ?? "",
    };
}
