using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;

namespace Alt.Tests.Model;

public sealed class SamplerTests : IDisposable
{
    private readonly LanguageModel _model = TinyModel.Create();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Decoding_with_the_cache_gives_the_probabilities_of_a_full_pass()
    {
        var jobs = TinyModel.Jobs();
        var generations = new Sampler(_model, new SamplingOptions { MaxNewTokens = 15 }, batchSize: 6).Sample(jobs);
        var likelihoods = new LikelihoodScorer(_model, batchSize: 3)
            .Score([.. jobs.Zip(generations, (job, generation) => (job.Input, generation.Tokens))]);
        Assert.All(generations.Zip(likelihoods), pair => Assert.Equal(pair.Second.LogProbability, pair.First.LogProbs.Sum(), 1e-3));
    }

    [Fact]
    public void The_same_plan_gives_the_same_bits()
    {
        var (first, second) = (Sample(batchSize: 7), Sample(batchSize: 7));
        Assert.All(first.Zip(second), pair =>
        {
            Assert.Equal(pair.First.Tokens, pair.Second.Tokens);
            Assert.Equal(pair.First.LogProbs, pair.Second.LogProbs);
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(64)]
    public void Batches_and_chunks_change_no_bit_of_a_generation(int batchSize)
    {
        var jobs = TinyModel.Jobs();
        var whole = Sample(batchSize: 20);
        var chunks = jobs.Reverse().Chunk(6)
            .SelectMany(chunk => new Sampler(_model, new SamplingOptions(), batchSize).Sample(chunk)).Reverse();
        Assert.All(whole.Zip(chunks), pair =>
        {
            Assert.Equal(pair.First.Tokens, pair.Second.Tokens);
            Assert.Equal(pair.First.LogProbs, pair.Second.LogProbs);
        });
    }

    [Fact]
    public void A_generation_ends_with_the_end_of_text_token_or_at_the_limit()
    {
        var generations = new Sampler(_model, new SamplingOptions { MaxNewTokens = 12 })
            .Sample(TinyModel.Jobs(prompts: 8, generations: 20));
        Assert.Contains(generations, generation => generation.FinishReason == FinishReason.Stop);
        Assert.Contains(generations, generation => generation.FinishReason == FinishReason.Length);
        Assert.All(generations, generation =>
        {
            Assert.DoesNotContain(TinyModel.EndOfText, generation.Tokens[..^1]);
            Assert.Equal(generation.FinishReason == FinishReason.Stop, generation.Tokens[^1] == TinyModel.EndOfText);
            Assert.True(generation.FinishReason == FinishReason.Stop || generation.Tokens.Length == 12);
            Assert.Equal(generation.Tokens.Length, generation.LogProbs.Length);
        });
    }

    [Fact]
    public void The_end_of_text_token_waits_for_the_minimum_and_banned_tokens_never_come()
    {
        var options = new SamplingOptions { MinNewTokens = 5, MaxNewTokens = 10, BannedTokens = [1, 2, 3, 4, 5] };
        Assert.All(new Sampler(_model, options).Sample(TinyModel.Jobs(8, 20)), generation =>
        {
            Assert.InRange(generation.Tokens.Length, 6, 10);
            Assert.Empty(generation.Tokens.Intersect(options.BannedTokens));
        });
    }

    [Fact]
    public void Generations_of_one_prompt_differ()
    {
        var generations = Sample(batchSize: 20);
        Assert.True(generations.Take(4).DistinctBy(generation => string.Join(' ', generation.Tokens)).Count() > 1);
    }

    [Fact]
    public void Progress_counts_the_tokens_up_to_the_last()
    {
        var counts = new List<int>();
        var generations = new Sampler(_model, new SamplingOptions(), batchSize: 6).Sample(TinyModel.Jobs(), counts.Add);
        Assert.Equal(counts.Order(), counts);
        Assert.Equal(generations.Sum(generation => generation.Tokens.Length), counts[^1]);
    }

    [Fact]
    public void A_trained_model_samples_by_its_new_weights()
    {
        var before = Sample(batchSize: 20);
        using (var trainer = new Trainer(_model, null, TinyModel.Examples(), new TrainerOptions { LearningRate = 0.1 }))
        {
            trainer.TakeStep();
        }

        using var same = _model.Copy();
        var copied = new Sampler(same, new SamplingOptions(), 20).Sample(TinyModel.Jobs());
        Assert.Equal(copied.Select(generation => generation.LogProbs), Sample(batchSize: 20).Select(generation => generation.LogProbs));
        Assert.NotEqual(copied.Select(generation => generation.LogProbs), before.Select(generation => generation.LogProbs));
    }

    [Fact]
    public void Nothing_to_do_gives_nothing() => Assert.Empty(new Sampler(_model, new SamplingOptions()).Sample([]));

    [Fact]
    public void An_input_that_leaves_no_room_is_refused()
    {
        var job = new SamplingJob(new int[6], new RandomKey(1, 0, Stage.Sampling));
        Assert.Single(new Sampler(_model, new SamplingOptions { MaxNewTokens = 19 }).Sample([job]));
        var error = Assert.Throws<InputException>(() => new Sampler(_model, new SamplingOptions { MaxNewTokens = 20 }).Sample([job]));
        Assert.Equal("an input of 6 tokens and 20 new ones do not fit the model's 24 positions", error.Message);
    }

    [Fact]
    public void Sampling_stops_when_it_is_cancelled()
    {
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() =>
            new Sampler(_model, new SamplingOptions()).Sample(TinyModel.Jobs(), _ => source.Cancel(), source.Token));
    }

    private IReadOnlyList<Generation> Sample(int batchSize) =>
        new Sampler(_model, new SamplingOptions(), batchSize).Sample(TinyModel.Jobs());
}
