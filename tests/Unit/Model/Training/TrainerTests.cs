using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;

namespace Alt.Tests.Model;

public sealed class TrainerTests : IDisposable
{
    private static readonly TrainerOptions Options = new()
    {
        Seed = 5,
        Iteration = 2,
        Steps = 14,
        BatchSize = 6,
        LearningRate = 5e-3,
        WarmupShare = 0.2,
        WeightDecay = 0.1,
        KlCoefficient = 0.05,
        EntropyCoefficient = 0.06,
    };

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly LanguageModel _policy = TinyModel.Create();
    private readonly LanguageModel _reference = TinyModel.Create();

    public void Dispose()
    {
        _policy.Dispose();
        _reference.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void Feedback_stands_after_what_every_text_begins_with() =>
        Assert.Equal([1, 7, 8, 4, 5], new TrainingExample([7, 8], [1, 4, 5], [9]) { Lead = 1 }.Input);

    [Fact]
    public void Training_learns_the_responses()
    {
        var losses = new List<double>();
        using (var trainer = new Trainer(
            _policy, null, TinyModel.Examples(), Options with { Steps = 60, KlCoefficient = 0, EntropyCoefficient = 0 }))
        {
            losses.AddRange(trainer.Train().Select(step => step.Loss));
        }

        Assert.True(losses[^1] < losses[0] / 3, $"from {losses[0]} to {losses[^1]}");
    }

    [Fact]
    public void Feedback_decides_what_is_learned_for_one_prompt()
    {
        TrainingExample[] examples = [new([1], [5, 6], [7, 8, TinyModel.EndOfText]), new([2], [5, 6], [9, 10, TinyModel.EndOfText])];
        using (var trainer = new Trainer(
            _policy, null, examples, Options with { Steps = 100, BatchSize = 2, KlCoefficient = 0, EntropyCoefficient = 0 }))
        {
            trainer.Train();
        }

        var likelihoods = new LikelihoodScorer(_policy)
            .Score([([1, 5, 6], [7, 8, 29]), ([2, 5, 6], [9, 10, 29]), ([1, 5, 6], [9, 10, 29])]);
        Assert.InRange(likelihoods[0].Perplexity, 1, 1.2);
        Assert.InRange(likelihoods[1].Perplexity, 1, 1.2);
        Assert.True(likelihoods[2].Perplexity > 5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(13)]
    public void A_training_that_is_resumed_ends_with_the_same_bits(int stopAt)
    {
        using var undisturbed = new Trainer(_policy, _reference, TinyModel.Examples(), Options);
        undisturbed.Train();

        var folder = Path.Combine(_folder.FullName, "checkpoint");
        using (var model = TinyModel.Create())
        using (var killed = new Trainer(model, _reference, TinyModel.Examples(), Options))
        {
            killed.Train(stopAt);
            killed.Save(folder);
        }

        using var resumedModel = LanguageModel.Load(folder);
        using var resumed = Trainer.Resume(folder, resumedModel, _reference, TinyModel.Examples(), Options);
        Assert.Equal(stopAt, resumed.Step);
        resumed.Train();
        Assert.Equal(_policy.WeightsHash(), resumedModel.WeightsHash());
    }

    [Fact]
    public void A_checkpoint_replaces_the_older_one_whole()
    {
        var folder = Path.Combine(_folder.FullName, "checkpoint");
        using var trainer = new Trainer(_policy, _reference, TinyModel.Examples(), Options);
        for (var i = 0; i < 3; i++)
        {
            trainer.Train(4);
            trainer.Save(folder);
        }

        Assert.Equal(["checkpoint"], _folder.GetFileSystemInfos().Select(entry => entry.Name));
        Assert.Equal(
            ["config.json", "model.safetensors", "optimizer.safetensors", "trainer.json"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        using var model = LanguageModel.Load(folder);
        using var resumed = Trainer.Resume(folder, model, _reference, TinyModel.Examples(), Options);
        Assert.Equal(12, resumed.Step);
    }

    [Fact]
    public void Another_options_checkpoint_is_refused()
    {
        var folder = Path.Combine(_folder.FullName, "checkpoint");
        using var trainer = new Trainer(_policy, _reference, TinyModel.Examples(), Options);
        trainer.TakeStep();
        trainer.Save(folder);
        using var model = LanguageModel.Load(folder);
        var error = Assert.Throws<InputException>(() =>
            Trainer.Resume(folder, model, _reference, TinyModel.Examples(), Options with { LearningRate = 1 }));
        Assert.Contains("was made with other training options", error.Message);
        Assert.Throws<InputException>(() => Trainer.Resume(_folder.FullName, model, _reference, TinyModel.Examples(), Options));
    }

    [Fact]
    public void The_optimisers_state_can_continue_in_the_next_iteration()
    {
        var folder = Path.Combine(_folder.FullName, "checkpoint");
        using var trainer = new Trainer(_policy, _reference, TinyModel.Examples(), Options);
        trainer.Train();
        trainer.Save(folder);

        Assert.NotEqual(NextIteration(keep: true), NextIteration(keep: false));

        string NextIteration(bool keep)
        {
            using var model = LanguageModel.Load(folder);
            using var next = new Trainer(model, _reference, TinyModel.Examples(), Options with { Iteration = 3 });
            if (keep)
            {
                next.RestoreOptimiser(folder);
            }

            Assert.Equal(0, next.Step);
            next.TakeStep();
            return model.WeightsHash();
        }
    }

    [Fact]
    public void Accumulation_changes_the_result_by_rounding_only()
    {
        using var whole = new Trainer(_policy, _reference, TinyModel.Examples(), Options);
        using var otherPolicy = TinyModel.Create();
        using var parts = new Trainer(otherPolicy, _reference, TinyModel.Examples(), Options with { Accumulation = 4 });
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(whole.TakeStep().Loss, parts.TakeStep().Loss, 1e-4);
        }
    }

    [Fact]
    public void The_learning_rate_rises_and_falls_in_straight_lines()
    {
        var options = new TrainerOptions { Steps = 10, LearningRate = 1, WarmupShare = 0.2, FinalShare = 0.2 };
        Assert.Equal([0.5, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], Enumerable.Range(0, 10).Select(options.LearningRateAt), (a, b) =>
            Math.Abs(a - b) < 1e-12);
        Assert.Equal(
            [1, 0.5], Enumerable.Range(0, 2).Select(new TrainerOptions { Steps = 2, LearningRate = 1, WarmupShare = 0 }.LearningRateAt));
    }

    [Fact]
    public void The_gradient_is_clipped_to_its_norm()
    {
        using var clipped = new Trainer(_policy, null, TinyModel.Examples(), Options with { KlCoefficient = 0, ClipNorm = 1e-3 });
        Assert.True(clipped.TakeStep().GradientNorm > 1e-2);
        clipped.Save(_folder.FullName + "/checkpoint");

        // After one step Adam's mean is the gradient times 1 - beta1.
        using var state = SafetensorsFile.Open(Path.Combine(_folder.FullName, "checkpoint", "optimizer.safetensors"));
        var means = state.Entries.Keys.Where(name => name.StartsWith("exp_avg.", StringComparison.Ordinal))
            .Select(name => state.Read(name).norm().item<float>());
        Assert.Equal((1 - Options.Beta1) * 1e-3, Math.Sqrt(means.Sum(norm => norm * norm)), 1e-8);
    }

    [Fact]
    public void Blocks_of_a_text_are_plain_language_modelling()
    {
        var blocks = new TokenBlocks([.. Enumerable.Range(0, 12)], length: 4);
        Assert.Equal(2, blocks.Count);
        Assert.Equal([4], blocks[1].Prompt);
        Assert.Equal([5, 6, 7, 8], blocks[1].Response);
        using var trainer = new Trainer(_policy, null, blocks, new TrainerOptions { Steps = 30, BatchSize = 2, LearningRate = 1e-2 });
        var losses = new List<double>();
        losses.AddRange(trainer.Train().Select(step => step.Nll));
        Assert.True(losses[^1] < 0.5 * losses[0]);
    }

    [Fact]
    public void What_cannot_be_trained_is_refused()
    {
        Assert.Contains("at least one example", Assert.Throws<InputException>(() => new Trainer(_policy, _reference, [], Options)).Message);
        Assert.Contains(
            "needs a reference", Assert.Throws<InputException>(() => new Trainer(_policy, null, TinyModel.Examples(), Options)).Message);
        using var noPrompt = new Trainer(_policy, _reference, [new([], [], [1])], Options);
        Assert.Contains("has no input", Assert.Throws<InputException>(() => noPrompt.TakeStep()).Message);
        using var tooLong = new Trainer(_policy, _reference, [new([], [1], new int[25])], Options);
        Assert.Equal(
            "a row of 26 tokens does not fit the model's 24 positions", Assert.Throws<InputException>(() => tooLong.TakeStep()).Message);
    }
}
