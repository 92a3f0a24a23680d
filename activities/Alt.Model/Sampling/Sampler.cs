using System.Runtime.InteropServices;
using Alt.Domain;
using Alt.Model.Decoding;
using Alt.Model.Network;

namespace Alt.Model.Sampling;

/// <summary>One generation to draw.</summary>
/// <param name="Input">The tokens to continue, feedback and all; at least one.</param>
/// <param name="Key">The stream of this generation's random numbers; its position is that of the new token.</param>
public sealed record SamplingJob(int[] Input, RandomKey Key);

/// <summary>The result of a job.</summary>
/// <param name="Tokens">The new tokens; the last is one that ends a text where that was drawn.</param>
/// <param name="LogProbs">Log-probability of each token under the distribution that it was drawn from.</param>
public sealed record Generation(int[] Tokens, float[] LogProbs, FinishReason FinishReason);

/// <summary>
/// Draws generations in a batch that stays full: a sequence that ends makes room for the next job. Equal inputs are read once.
/// A generation depends on its input and its key alone: in single precision on a processor to the bit, in bfloat16 and on a GPU up to
/// rounding, since another batch shape may round logits differently there.
/// </summary>
/// <param name="batchSize">Most sequences that are decoded together; fewer where the memory has no room for them.</param>
/// <param name="vocabulary">
/// How many tokens the tokenizer has: many models have more rows than that, which mean nothing. Null is the model's number.
/// </param>
public sealed class Sampler(LanguageModel model, SamplingOptions options, int batchSize = 128, int? vocabulary = null)
{
    private readonly int _vocabulary = vocabulary ?? model.Config.Vocabulary;
    private readonly int[] _ends = [.. model.Config.OtherEnds.Append(model.Config.EndOfText)
        .Where(id => id >= 0 && id < (vocabulary ?? model.Config.Vocabulary))];

    /// <summary>Draws one generation per job.</summary>
    /// <param name="progress">Called after each step with the number of tokens drawn so far.</param>
    /// <returns>The generations in the order of the jobs.</returns>
    /// <exception cref="InputException">
    /// A job's input is empty or leaves no room for the new tokens within the model's positions, or the memory none for a sequence.
    /// </exception>
    /// <exception cref="OperationCanceledException">Between two steps.</exception>
    public IReadOnlyList<Generation> Sample(
        IReadOnlyList<SamplingJob> jobs, Action<int>? progress = null, CancellationToken token = default)
    {
        if (jobs.Count == 0)
        {
            return [];
        }

        ModelThreads.Apply();
        using var decoder = Decoders.For(model, Math.Min(batchSize, jobs.Count), Positions(jobs));
        return Sample(jobs, decoder, progress, token);
    }

    internal IReadOnlyList<Generation> Sample(
        IReadOnlyList<SamplingJob> jobs, IDecoder decoder, Action<int>? progress = null, CancellationToken token = default)
    {
        var waiting = new Queue<Sequence>(jobs.Select((job, index) => new Sequence(index, job, options.MaxNewTokens)));
        var freeSlots = new Stack<int>(Enumerable.Range(0, decoder.Slots).Reverse());
        var (active, admitted) = (new List<Sequence>(decoder.Slots), new List<Sequence>(decoder.Slots));
        var (tokens, places) = (new int[decoder.Slots], new (int Slot, int Position)[decoder.Slots]);
        TokenDistribution[] distributions = [.. Enumerable.Range(0, decoder.Workers)
            .Select(_ => new TokenDistribution(options, _vocabulary))];
        var generations = new Generation[jobs.Count];
        var drawn = 0;
        // Every object that a step makes becomes garbage, so the delegate too is made once.
        var stepping = active;
        LogitsAction draw = (row, worker, logits) => Draw(stepping[row], logits[.._vocabulary], distributions[worker]);
        while (waiting.Count > 0 || active.Count > 0)
        {
            token.ThrowIfCancellationRequested();
            // Reading inputs costs a pass of its own, so they wait until a quarter of the batch is free.
            var reads = waiting.Count > 0 && (active.Count == 0 || 4 * freeSlots.Count >= decoder.Slots);
            stepping = reads ? admitted : active;
            if (reads)
            {
                Admit(waiting, freeSlots, admitted);
                Read(admitted, decoder);
            }
            else
            {
                Step(active, decoder, tokens, places);
            }

            decoder.ForEach(draw);
            drawn += stepping.Count;
            progress?.Invoke(drawn);

            if (reads)
            {
                active.AddRange(admitted);
                admitted.Clear();
            }

            for (var i = active.Count - 1; i >= 0; i--)
            {
                if (active[i] is { FinishReason: not null } ended)
                {
                    generations[ended.Index] = ended.ToGeneration();
                    decoder.Release(ended.Slot);
                    freeSlots.Push(ended.Slot);
                    active.RemoveAt(i);
                }
            }
        }

        return generations;
    }

    private int Positions(IReadOnlyList<SamplingJob> jobs)
    {
        if (jobs.Any(job => job.Input.Length == 0))
        {
            throw new InputException("a generation has no input, expected at least one token to continue");
        }

        // The last token drawn is never read.
        var input = jobs.Max(job => job.Input.Length);
        var positions = input + options.MaxNewTokens - 1;
        return positions <= model.Config.Positions
            ? positions
            : throw new InputException(
                $"an input of {input} tokens and {options.MaxNewTokens} new ones do not fit the model's "
                + $"{model.Config.Positions} positions");
    }

    private static void Admit(Queue<Sequence> waiting, Stack<int> freeSlots, List<Sequence> admitted)
    {
        while (waiting.Count > 0 && freeSlots.Count > 0)
        {
            var sequence = waiting.Dequeue();
            sequence.Slot = freeSlots.Pop();
            admitted.Add(sequence);
        }
    }

    private static void Read(List<Sequence> sequences, IDecoder decoder)
    {
        var inputs = new Dictionary<int[], int>(TokensComparer.Instance);
        var places = new (int Slot, int Input)[sequences.Count];
        for (var i = 0; i < places.Length; i++)
        {
            var input = sequences[i].Job.Input;
            if (!inputs.TryGetValue(input, out var number))
            {
                inputs[input] = number = inputs.Count;
            }

            places[i] = (sequences[i].Slot, number);
        }

        decoder.Read([.. inputs.OrderBy(input => input.Value).Select(input => input.Key)], places);
    }

    private static void Step(List<Sequence> sequences, IDecoder decoder, int[] tokens, (int Slot, int Position)[] places)
    {
        for (var i = 0; i < sequences.Count; i++)
        {
            var sequence = sequences[i];
            tokens[i] = sequence.Tokens[^1];
            places[i] = (sequence.Slot, sequence.Job.Input.Length + sequence.Tokens.Count - 1);
        }

        decoder.Step(tokens.AsSpan(0, sequences.Count), places.AsSpan(0, sequences.Count));
    }

    private void Draw(Sequence sequence, ReadOnlySpan<float> logits, TokenDistribution distribution)
    {
        var position = sequence.Tokens.Count;
        var banned = position < options.MinNewTokens ? _ends.AsSpan() : [];
        var (token, logProb) = distribution.Draw(logits, banned, Philox.Uniform(sequence.Job.Key, (uint)position));
        sequence.Tokens.Add(token);
        sequence.LogProbs.Add(logProb);
        sequence.FinishReason = _ends.Contains(token) ? FinishReason.Stop
            : position + 1 == options.MaxNewTokens ? FinishReason.Length
            : null;
    }

    private sealed class Sequence(int index, SamplingJob job, int longest)
    {
        public int Index { get; } = index;
        public SamplingJob Job { get; } = job;
        public int Slot { get; set; }
        public List<int> Tokens { get; } = new(longest);
        public List<float> LogProbs { get; } = new(longest);
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
