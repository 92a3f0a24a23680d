using Alt.Domain;

namespace Alt.Model.Sampling;

/// <summary>Samples a policy's generations for prompts, with or without feedback in front of them.</summary>
public sealed class PolicySampler
{
    private readonly Policy _policy;
    private readonly PromptEncoder _encoder;
    private readonly Func<Prompt, (IReadOnlyList<int> Tokens, string? Exemplar)> _feedback;
    private readonly IReadOnlyList<int> _banned;

    private PolicySampler(
        Policy policy, PromptsConfig prompts, Func<Prompt, (IReadOnlyList<int>, string?)> feedback, IReadOnlyList<int> banned)
    {
        _policy = policy;
        _encoder = PromptEncoder.For(policy.Tokenizer, prompts);
        _feedback = feedback;
        _banned = banned;
    }

    /// <summary>The base model: no feedback, no added tokens.</summary>
    public static PolicySampler Unconditioned(Policy policy, PromptsConfig prompts) => new(policy, prompts, _ => ([], null), []);

    /// <summary>A trained policy, given the feedback that <paramref name="choose"/> takes from the run's scheme.</summary>
    public static PolicySampler Conditioned(
        Policy policy, PromptsConfig prompts, FeedbackConfig config, Func<Conditioning, IReadOnlyList<int>> choose)
    {
        var conditioning = new Conditioning(config, policy.Tokenizer);
        var tokens = choose(conditioning);
        return new(policy, prompts, _ => (tokens, null), conditioning.BannedTokens);
    }

    /// <summary>A trained policy, given another feedback for each prompt.</summary>
    public static PolicySampler ByExemplar(Policy policy, PromptsConfig prompts, FeedbackConfig config, Func<Prompt, string> exemplar)
    {
        var conditioning = new Conditioning(config, policy.Tokenizer);
        return new(policy, prompts, Given, conditioning.BannedTokens);

        (IReadOnlyList<int>, string?) Given(Prompt prompt)
        {
            var text = exemplar(prompt);
            return (conditioning.Of(text), text);
        }
    }

    /// <summary>n generations for every prompt, in prompt order, then k. A pure function of its arguments.</summary>
    /// <param name="key">Run seed, iteration and stage; prompt and k are filled in.</param>
    /// <param name="batchSize">Most sequences decoded together.</param>
    public IReadOnlyList<Sample> Sample(
        IReadOnlyList<Prompt> prompts, int generations, SamplingOptions options, int batchSize, RandomKey key,
        IProgress<(long Done, long Total)>? progress = null, CancellationToken token = default)
    {
        var jobs = new List<SamplingJob>(prompts.Count * generations);
        var exemplars = new Dictionary<int, string?>(prompts.Count);
        foreach (var prompt in prompts)
        {
            var (conditioning, exemplar) = _feedback(prompt);
            exemplars[prompt.Ordinal] = exemplar;
            var input = _encoder.Encode(prompt.Text).With(conditioning);
            jobs.AddRange(
                Enumerable.Range(0, generations).Select(k => new SamplingJob(input, key with { Prompt = prompt.Ordinal, K = k })));
        }

        var total = (long)jobs.Count * options.MaxNewTokens;
        var sampler = new Sampler(
            _policy.Model, options with { BannedTokens = [.. options.BannedTokens, .. _banned] }, batchSize,
            _policy.Tokenizer.VocabularySize);
        var drawn = sampler.Sample(jobs, done => progress?.Report((done, total)), token);
        return [.. jobs.Zip(drawn, (job, generation) => new Sample(
            new SampleId(key.Iteration, job.Key.Prompt, job.Key.K),
            _policy.Tokenizer.Decode(Spoken(generation), continues: true),
            generation.Tokens,
            generation.LogProbs,
            generation.FinishReason)
        {
            Conditioning = exemplars[job.Key.Prompt],
        })];
    }

    private static ReadOnlySpan<int> Spoken(Generation generation) =>
        generation.FinishReason == FinishReason.Stop ? generation.Tokens.AsSpan(..^1) : generation.Tokens;
}
