using TemporalServer.Engine;

namespace TemporalServer.Runtime;

/// <summary>
/// The runs used most recently, by run id, with their histories. A cache only: any entry may be dropped at any time.
/// </summary>
/// <param name="capacity">The most runs kept.</param>
/// <param name="bytes">The most bytes of history kept; the run used last is kept even if it alone has more.</param>
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
