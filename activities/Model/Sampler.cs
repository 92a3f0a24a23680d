using System.Runtime.InteropServices;
using Alt.Domain;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>One generation to draw.</summary>
/// <param name="Input">The tokens to continue, feedback and all; at least one.</param>
/// <param name="Key">The stream of this generation's random numbers; its position is that of the new token.</param>
public sealed record SamplingJob(int[] Input, RandomKey Key);

/// <summary>What a job gave.</summary>
/// <param name="Tokens">The new tokens; the last is one that ends a text where that was drawn.</param>
/// <param name="LogProbs">Log-probability of each token under the distribution that it was drawn from.</param>
public sealed record Generation(int[] Tokens, float[] LogProbs, FinishReason FinishReason);

/// <summary>
/// Draws generations in a batch that stays full: a sequence that ends makes room for the next job. Equal inputs are read once.
/// A generation depends on its input and its key alone, up to rounding: another batch shape may round logits differently, so a run
/// that must repeat to the bit repeats the plan (the same jobs in the same calls, the same batch size) too.
/// </summary>
/// <param name="batchSize">How many sequences are decoded together.</param>
/// <param name="vocabulary">How many tokens the tokenizer has: many models have more rows than that, which mean nothing. Null is the model's number.</param>
public sealed class Sampler(LanguageModel model, SamplingOptions options, int batchSize = 128, int? vocabulary = null)
{
    private readonly int _vocabulary = vocabulary ?? model.Config.Vocabulary;
    private readonly TokenDistribution[] _distributions =
        [.. Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new TokenDistribution(options, vocabulary ?? model.Config.Vocabulary))];
    private readonly HashSet<int> _ends = [.. model.Config.OtherEnds.Append(model.Config.EndOfText).Where(id => id < (vocabulary ?? model.Config.Vocabulary))];

    /// <summary>Draws one generation per job.</summary>
    /// <param name="progress">Called after each step with the number of tokens drawn so far.</param>
    /// <returns>The generations in the order of the jobs.</returns>
    /// <exception cref="InputException">A job's input leaves no room for the new tokens within the model's positions.</exception>
    /// <exception cref="OperationCanceledException">Between two steps.</exception>
    public IReadOnlyList<Generation> Sample(IReadOnlyList<SamplingJob> jobs, Action<int>? progress = null, CancellationToken token = default)
    {
        if (jobs.Count == 0)
        {
            return [];
        }

        ModelThreads.Apply();
        using var gradients = no_grad();
        using var cache = new KeyValueCache(model.Config, Math.Min(batchSize, jobs.Count), Positions(jobs), model.Device, model.ElementType);
        var waiting = new Queue<Sequence>(jobs.Select((job, index) => new Sequence(index, job)));
        var freeSlots = new Stack<int>(Enumerable.Range(0, Math.Min(batchSize, jobs.Count)).Reverse());
        var active = new List<Sequence>();
        var generations = new Generation[jobs.Count];
        var drawn = 0;
        while (waiting.Count > 0 || active.Count > 0)
        {
            token.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            // Reading prompts costs a pass of its own, so they wait until a quarter of the batch is free.
            var reads = waiting.Count > 0 && (active.Count == 0 || 4 * freeSlots.Count >= batchSize);
            var stepping = reads ? Admit(waiting, freeSlots) : active;
            var hidden = reads ? Read(stepping, cache) : Step(stepping, cache);
            Draw(stepping, model.Logits(hidden));
            drawn += stepping.Count;
            progress?.Invoke(drawn);

            if (reads)
            {
                active.AddRange(stepping);
            }

            foreach (var ended in active.Where(sequence => sequence.FinishReason is not null))
            {
                generations[ended.Index] = ended.ToGeneration();
                freeSlots.Push(ended.Slot);
            }

            active.RemoveAll(sequence => sequence.FinishReason is not null);
        }

        return generations;
    }

    private int Positions(IReadOnlyList<SamplingJob> jobs)
    {
        // The last token drawn is never read.
        var input = jobs.Max(job => job.Input.Length);
        var positions = input + options.MaxNewTokens - 1;
        return positions <= model.Config.Positions
            ? positions
            : throw new InputException($"an input of {input} tokens and {options.MaxNewTokens} new ones do not fit the model's {model.Config.Positions} positions");
    }

    private static List<Sequence> Admit(Queue<Sequence> waiting, Stack<int> freeSlots)
    {
        var admitted = new List<Sequence>();
        while (waiting.Count > 0 && freeSlots.Count > 0)
        {
            var sequence = waiting.Dequeue();
            sequence.Slot = freeSlots.Pop();
            admitted.Add(sequence);
        }

        return admitted;
    }

    // The hidden state at the end of each sequence's input (A, C); equal inputs are one row of the pass.
    private Tensor Read(List<Sequence> sequences, KeyValueCache cache)
    {
        var rows = new Dictionary<int[], int>(TokensComparer.Instance);
        var slots = new (int Slot, int Row)[sequences.Count];
        for (var i = 0; i < slots.Length; i++)
        {
            var input = sequences[i].Job.Input;
            if (!rows.TryGetValue(input, out var row))
            {
                rows[input] = row = rows.Count;
            }

            slots[i] = (sequences[i].Slot, row);
        }

        var T = rows.Keys.Max(input => input.Length);
        var ids = new long[rows.Count * T];
        foreach (var (input, row) in rows)
        {
            for (var t = 0; t < input.Length; t++)
            {
                ids[row * T + t] = input[t];
            }
        }

        var hidden = model.Prefill(tensor(ids, device: model.Device).view(rows.Count, T), cache, slots);      // (rows * T, C)
        long[] ends = [.. slots.Select((slot, i) => (long)slot.Row * T + sequences[i].Job.Input.Length - 1)];
        return hidden.index_select(0, tensor(ends, device: model.Device));
    }

    // The hidden state after each sequence's newest token (A, C).
    private Tensor Step(List<Sequence> sequences, KeyValueCache cache)
    {
        var tokens = new long[sequences.Count];
        var slots = new (int Slot, int Position)[sequences.Count];
        for (var i = 0; i < tokens.Length; i++)
        {
            var sequence = sequences[i];
            tokens[i] = sequence.Tokens[^1];
            slots[i] = (sequence.Slot, sequence.Job.Input.Length + sequence.Tokens.Count - 1);
        }

        return model.Decode(tokens, cache, slots);
    }

    private void Draw(List<Sequence> sequences, Tensor logits)
    {
        var rows = logits.to(float32).cpu();
        Parallel.For(0, _distributions.Length, worker =>
        {
            for (var i = worker; i < sequences.Count; i += _distributions.Length)
            {
                Draw(sequences[i], Row(rows, i)[.._vocabulary], _distributions[worker]);
            }
        });
    }

    private void Draw(Sequence sequence, ReadOnlySpan<float> logits, TokenDistribution distribution)
    {
        var position = sequence.Tokens.Count;
        IReadOnlyCollection<int> banned = position < options.MinNewTokens ? _ends : [];
        var (token, logProb) = distribution.Draw(logits, banned, Philox.Uniform(sequence.Job.Key, (uint)position));
        sequence.Tokens.Add(token);
        sequence.LogProbs.Add(logProb);
        sequence.FinishReason = _ends.Contains(token) ? FinishReason.Stop : position + 1 == options.MaxNewTokens ? FinishReason.Length : null;
    }

    private static ReadOnlySpan<float> Row(Tensor rows, int index)
    {
        var width = (int)rows.shape[1];
        return MemoryMarshal.Cast<byte, float>(rows.bytes).Slice(index * width, width);
    }

    private sealed class Sequence(int index, SamplingJob job)
    {
        public int Index { get; } = index;
        public SamplingJob Job { get; } = job;
        public int Slot { get; set; }
        public List<int> Tokens { get; } = [];
        public List<float> LogProbs { get; } = [];
        public FinishReason? FinishReason { get; set; }

        public Generation ToGeneration() => new([.. Tokens], [.. LogProbs], FinishReason!.Value);
    }

    private sealed class TokensComparer : IEqualityComparer<int[]>
    {
        public static readonly TokensComparer Instance = new();

        public bool Equals(int[]? x, int[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(int[] tokens)
        {
            var hash = new HashCode();
            hash.AddBytes(MemoryMarshal.AsBytes(tokens.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
