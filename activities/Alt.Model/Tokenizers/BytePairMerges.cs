namespace Alt.Model.Tokenizers;

/// <summary>Pairs of tokens that become one, the most urgent first. Immutable.</summary>
internal sealed class BytePairMerges
{
    private readonly Dictionary<long, (int Rank, int Id)> _merges;

    /// <param name="all">Each with what it becomes; of a pair that occurs twice the last counts.</param>
    public BytePairMerges(IReadOnlyList<(int Left, int Right, int Id)> all)
    {
        All = all;
        _merges = new Dictionary<long, (int, int)>(all.Count);
        for (var rank = 0; rank < all.Count; rank++)
        {
            _merges[Key(all[rank].Left, all[rank].Right)] = (rank, all[rank].Id);
        }
    }

    public IReadOnlyList<(int Left, int Right, int Id)> All { get; }

    public static long Key(int left, int right) => (long)left << 32 | (uint)right;

    /// <summary>
    /// Applies the most urgent merge first, the leftmost of equals, over a linked list of symbols: n log n also for a word of a million
    /// letters.
    /// The symbols are changed.
    /// </summary>
    public int[] Apply(Span<int> symbols)
    {
        var n = symbols.Length;
        var previous = new int[n];
        var next = new int[n];
        var queue = new PriorityQueue<(int Position, int Left, int Right), (int Rank, int Position)>();
        for (var i = 0; i < n; i++)
        {
            (previous[i], next[i]) = (i - 1, i + 1);
            if (i + 1 < n)
            {
                Consider(symbols, i, i + 1);
            }
        }

        while (queue.TryDequeue(out var merge, out _))
        {
            var (at, right) = (merge.Position, next[merge.Position]);
            if (symbols[at] != merge.Left || right >= n || symbols[right] != merge.Right)
            {
                continue; // One of the two has been merged since.
            }

            (symbols[at], symbols[right]) = (_merges[Key(merge.Left, merge.Right)].Id, -1);
            next[at] = next[right];
            if (next[at] < n)
            {
                previous[next[at]] = at;
                Consider(symbols, at, next[at]);
            }

            if (previous[at] >= 0)
            {
                Consider(symbols, previous[at], at);
            }
        }

        var left = new List<int>();
        foreach (var symbol in symbols)
        {
            if (symbol >= 0)
            {
                left.Add(symbol);
            }
        }

        return [.. left];

        void Consider(ReadOnlySpan<int> symbols, int left, int right)
        {
            if (_merges.TryGetValue(Key(symbols[left], symbols[right]), out var merge))
            {
                queue.Enqueue((left, symbols[left], symbols[right]), (merge.Rank, left));
            }
        }
    }
}
