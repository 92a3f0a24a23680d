using TemporalServer.Engine;

namespace TemporalServer.Runtime;

/// <summary>Runs that were used last, by run id, with their histories. Only a way to load less: dropping any entry at any time is right.</summary>
/// <param name="capacity">Runs kept at most.</param>
/// <param name="bytes">Bytes of history kept at most, but for the run used last.</param>
internal sealed class RunCache(int capacity, long bytes)
{
    private readonly Dictionary<string, LinkedListNode<Entry>> entries = [];
    private readonly LinkedList<Entry> byUse = new();
    private long held;

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
            return node.Value.Run;
        }
    }

    public void Put(WorkflowRun run)
    {
        lock (entries)
        {
            Remove(run.State.RunId);
            entries[run.State.RunId] = byUse.AddFirst(new Entry(run, run.State.HistoryBytes));
            held += run.State.HistoryBytes;
            while (entries.Count > capacity || (held > bytes && entries.Count > 1))
            {
                Remove(byUse.Last!.Value.Run.State.RunId);
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
                held -= node.Value.Bytes;
            }
        }
    }

    public void Clear()
    {
        lock (entries)
        {
            entries.Clear();
            byUse.Clear();
            held = 0;
        }
    }

    private sealed record Entry(WorkflowRun Run, long Bytes);
}
