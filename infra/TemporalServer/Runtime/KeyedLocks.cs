namespace TemporalServer.Runtime;

/// <summary>One asynchronous lock per key; a key costs nothing while nobody holds or awaits its lock.</summary>
internal sealed class KeyedLocks<TKey>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> entries = [];

    public async Task<Holder> AcquireAsync(TKey key)
    {
        Entry entry;
        lock (entries)
        {
            if (!entries.TryGetValue(key, out entry!))
            {
                entries[key] = entry = new Entry();
            }

            entry.Users++;
        }

        await entry.Gate.WaitAsync();
        return new Holder(this, key, entry);
    }

    private void Release(TKey key, Entry entry)
    {
        entry.Gate.Release();
        lock (entries)
        {
            if (--entry.Users == 0)
            {
                entries.Remove(key);
            }
        }
    }

    public readonly struct Holder : IDisposable
    {
        private readonly KeyedLocks<TKey> owner;
        private readonly TKey key;
        private readonly Entry entry;

        internal Holder(KeyedLocks<TKey> owner, TKey key, Entry entry)
        {
            this.owner = owner;
            this.key = key;
            this.entry = entry;
        }

        public void Dispose() => owner.Release(key, entry);
    }

    internal sealed class Entry
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Users { get; set; }
    }
}
