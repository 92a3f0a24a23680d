using Alt.Domain;

namespace Alt.Activities.Model;

/// <summary>Samples a policy's generations for prompts, with or without feedback in front of them.</summary>
public sealed class PolicySampler
{
    private readonly Policy policy;
    private readonly IReadOnlyList<int> feedback;
    private readonly IReadOnlyList<int> banned;

    private PolicySampler(Policy policy, IReadOnlyList<int> feedback, IReadOnlyList<int> banned)
    {
        this.policy = policy;
        this.feedback = feedback;
        this.banned = banned;
    }

    /// <summary>The base model: no feedback, no added tokens.</summary>
    public static PolicySampler Unconditioned(Policy policy) => new(policy, [], []);

    /// <summary>A trained policy, given the feedback that <paramref name="choose"/> takes from the run's scheme.</summary>
    public static PolicySampler Conditioned(Policy policy, FeedbackConfig config, Func<Conditioning, IReadOnlyList<int>> choose)
    {
        var conditioning = new Conditioning(config, policy.Tokenizer);
        return new(policy, choose(conditioning), conditioning.BannedTokens);
    }

    /// <summary>n generations for every prompt, in prompt order, then k. A pure function of its arguments.</summary>
    /// <param name="key">Run seed, iteration and stage; prompt and k are filled in.</param>
    /// <param name="batchSize">Sequences decoded together: part of the plan, since another batch may round differently.</param>
    public IReadOnlyList<Sample> Sample(
        IReadOnlyList<Prompt> prompts, int generations, SamplingOptions options, int batchSize, RandomKey key,
        IProgress<(long Done, long Total)>? progress = null, CancellationToken token = default)
    {
        var jobs = new List<SamplingJob>(prompts.Count * generations);
        foreach (var prompt in prompts)
        {
            int[] input = [.. feedback, .. policy.Tokenizer.Encode(prompt.Text)];
            jobs.AddRange(Enumerable.Range(0, generations).Select(k => new SamplingJob(input, key with { Prompt = prompt.Ordinal, K = k })));
        }

        var total = (long)jobs.Count * options.MaxNewTokens;
        var sampler = new Sampler(policy.Model, options with { BannedTokens = [.. options.BannedTokens, .. banned] }, batchSize);
        var drawn = sampler.Sample(jobs, done => progress?.Report((done, total)), token);
        return [.. jobs.Zip(drawn, (job, generation) => new Sample(
            new SampleId(key.Iteration, job.Key.Prompt, job.Key.K),
            policy.Tokenizer.Decode(Spoken(generation)),
            generation.Tokens,
            generation.LogProbs,
            generation.FinishReason))];
    }

    private static ReadOnlySpan<int> Spoken(Generation generation) =>
        generation.FinishReason == FinishReason.Stop ? generation.Tokens.AsSpan(..^1) : generation.Tokens;
}
