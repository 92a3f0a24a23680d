using System.Collections.Concurrent;
using Temporalio.Api.Query.V1;
using TemporalServer.Engine;

namespace TemporalServer.Queues;

/// <summary>A query on its way to a worker and back. Queries are not stored: a restart ends them, and the caller asks again.</summary>
internal sealed class PendingQuery(RunAddress run, WorkflowQuery query)
{
    public string Id { get; } = Guid.NewGuid().ToString("N");

    public RunAddress Run { get; } = run;

    public WorkflowQuery Query { get; } = query;

    /// <summary>The query is offered on a queue by itself; no workflow task carries it.</summary>
    public bool Offered { get; set; }

    public string NormalQueue { get; set; } = "";

    /// <summary>The sticky queue it was put on; empty for the normal one.</summary>
    public string StickyQueue { get; set; } = "";

    public TaskCompletionSource<WorkflowQueryResult> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>Queries that wait: for the workflow task that will carry them, or for their answer.</summary>
internal sealed class PendingQueries
{
    private readonly ConcurrentDictionary<string, PendingQuery> _byId = new();

    public void Add(PendingQuery query) => _byId[query.Id] = query;

    public PendingQuery? Find(string id) => _byId.GetValueOrDefault(id);

    public void Remove(PendingQuery query) => _byId.TryRemove(query.Id, out _);

    /// <summary>The queries that a workflow task of this run should carry.</summary>
    public IReadOnlyList<PendingQuery> Of(string runId) => _byId.IsEmpty ? [] : [.. _byId.Values.Where(q => q.Run.RunId == runId)];
}
