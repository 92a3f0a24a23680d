using TemporalServer.Engine;

namespace TemporalServer.Runtime;

/// <summary>Runs that were used last, by run id, with their histories. Only a way to load less: dropping any entry at any time is right.</summary>
/// <param name="capacity">Runs kept at most.</param>
internal sealed class RunCache(int capacity)
{
    private readonly Dictionary<string, LinkedListNode<WorkflowRun>> entries = [];
    private readonly LinkedList<WorkflowRun> byUse = new();

    public WorkflowRun? Find(string runId)
    {
        lock (entries)
        {
            if (!entries.TryGetValue(runId, out var node))
            {
                return null;
            }

            byUse.Remove(node);
            byUse.AddFirst(node);
            return node.Value;
        }
    }

    public void Put(WorkflowRun run)
    {
        lock (entries)
        {
            Remove(run.State.RunId);
            entries[run.State.RunId] = byUse.AddFirst(run);
            if (entries.Count > capacity)
            {
                Remove(byUse.Last!.Value.State.RunId);
            }
        }
    }

    public void Remove(string runId)
    {
        lock (entries)
        {
            if (entries.Remove(runId, out var node))
            {
                byUse.Remove(node);
            }
        }
    }

    public void Clear()
    {
        lock (entries)
        {
            entries.Clear();
            byUse.Clear();
        }
    }
}
