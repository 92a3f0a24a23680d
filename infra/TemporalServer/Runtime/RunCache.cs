using TemporalServer.Engine;

namespace TemporalServer.Runtime;

/// <summary>
/// Runs that were used last, by run id, with their histories. Only a way to load less: dropping any entry at any time is right.
/// </summary>
/// <param name="capacity">Runs kept at most.</param>
/// <param name="bytes">Bytes of history kept at most, but for the run used last.</param>
internal sealed class RunCache(int capacity, long bytes)
{
    private readonly Dictionary<string, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();
    private long _held;

    public WorkflowRun? Find(string runId)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue(runId, out var node))
            {
                return null;
            }

            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Run;
        }
    }

    public void Put(WorkflowRun run)
    {
        lock (_entries)
        {
            Remove(run.State.RunId);
            _entries[run.State.RunId] = _byUse.AddFirst(new Entry(run, run.State.HistoryBytes));
            _held += run.State.HistoryBytes;
            while (_entries.Count > capacity || (_held > bytes && _entries.Count > 1))
            {
                Remove(_byUse.Last!.Value.Run.State.RunId);
            }
        }
    }

    public void Remove(string runId)
    {
        lock (_entries)
        {
            if (_entries.Remove(runId, out var node))
            {
                _byUse.Remove(node);
                _held -= node.Value.Bytes;
            }
        }
    }

    public void Clear()
    {
        lock (_entries)
        {
            _entries.Clear();
            _byUse.Clear();
            _held = 0;
        }
    }

    private sealed record Entry(WorkflowRun Run, long Bytes);
}
