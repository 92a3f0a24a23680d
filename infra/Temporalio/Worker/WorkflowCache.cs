using Temporalio.Common;

namespace Temporalio.Worker;

/// <summary>Workflow runs in memory, the least recently used of which go first.</summary>
/// <param name="capacity">Most runs; 0 keeps none.</param>
internal sealed class WorkflowCache(int capacity)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<CachedWorkflow>> byRun = [];
    private readonly LinkedList<CachedWorkflow> byUse = new();

    /// <summary>Takes a run out for a workflow task; nobody else has it until it is put back.</summary>
    /// <returns>The run, or null where it is not here.</returns>
    public CachedWorkflow? Take(string runId)
    {
        lock (gate)
        {
            if (!byRun.Remove(runId, out var node))
            {
                return null;
            }
            byUse.Remove(node);
            return node.Value;
        }
    }

    /// <summary>Puts a run in or back.</summary>
    public void Put(CachedWorkflow workflow)
    {
        lock (gate)
        {
            if (capacity == 0)
            {
                workflow.LocalActivities.Abandon();
                return;
            }
            if (byRun.Remove(workflow.RunId, out var old))
            {
                byUse.Remove(old);
            }
            byRun[workflow.RunId] = byUse.AddLast(workflow);
            if (byUse.Count > capacity)
            {
                var evicted = byUse.First!.Value;
                byRun.Remove(evicted.RunId);
                byUse.RemoveFirst();
                evicted.LocalActivities.Abandon();
                Telemetry.StickyCacheEvictions.Add(1);
            }
        }
    }
}

/// <summary>A run between two workflow tasks.</summary>
/// <param name="RunId">Run ID.</param>
/// <param name="Instance">The run.</param>
/// <param name="LocalActivities">Its local activities.</param>
/// <param name="LastEventId">Last event that it has taken in.</param>
internal sealed record CachedWorkflow(string RunId, WorkflowInstance Instance, LocalActivityRuns LocalActivities, long LastEventId);
