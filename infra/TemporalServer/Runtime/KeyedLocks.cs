namespace TemporalServer.Runtime;

/// <summary>One asynchronous lock per key; a key costs nothing while no caller holds or awaits its lock.</summary>
internal sealed class KeyedLocks<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> _entries = [];

    public async Task<Holder> AcquireAsync(TKey key)
    {
        Entry entry;
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out entry!))
            {
                _entries[key] = entry = new Entry();
            }

            entry.Users++;
        }

        await entry.Gate.WaitAsync();
        return new Holder(this, key, entry);
    }

    private void Release(TKey key, Entry entry)
    {
        entry.Gate.Release();
        lock (_entries)
        {
            if (--entry.Users == 0)
            {
                _entries.Remove(key);
            }
        }
    }

    public readonly struct Holder : IDisposable
    {
        private readonly KeyedLocks<TKey> _owner;
        private readonly TKey _key;
        private readonly Entry _entry;

        internal Holder(KeyedLocks<TKey> owner, TKey key, Entry entry)
        {
            _owner = owner;
            _key = key;
            _entry = entry;
        }

        public void Dispose() => _owner.Release(_key, _entry);
    }

    internal sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }
    }
}
