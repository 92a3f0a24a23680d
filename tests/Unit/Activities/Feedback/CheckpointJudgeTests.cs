using System.Globalization;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Model.Encoders;

namespace Alt.Tests.Activities.Feedback;

public sealed class CheckpointJudgeTests : IDisposable
{
    private static readonly EncoderReference.Values Expected = EncoderReference.Expected;

    private readonly Checkpoints _checkpoints = new();

    public void Dispose() => _checkpoints.Dispose();

    [Fact]
    public async Task The_reward_is_the_labels_probability_and_the_call_holds_what_the_model_said()
    {
        var judge = Open("bert", c => c with { Label = "good", MaxLength = 40 });
        var judged = Assert.Single(await JudgeAsync(judge, Sample(0, Expected.Inputs[0].First)));
        var exponents = Expected.Bert.Sequences[0].Values.Select(Math.Exp).ToArray();
        var reward = Assert.IsType<FeedbackOutcome.Labelled>(judged.Outcome).Reward;
        Assert.Equal(exponents[2] / exponents.Sum(), reward, 1e-5);
        var call = Assert.Single(judged.Calls);
        Assert.Equal((judge.Name, judge.Version, reward.ToString("R", CultureInfo.InvariantCulture)), (call.Judge, call.Version, call.Reply));
        Assert.StartsWith(
            _checkpoints.Classifier(EncoderReference.Folder("bert"), RunDevice.Cpu).Hash, judge.Version, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_the_prompt_the_texts_are_a_pair_and_what_is_unwanted_counts_the_other_way()
    {
        var sample = Sample(0, Expected.Inputs[1].Second!) with { Prompt = Expected.Inputs[1].First };
        var (alone, pair, other) = (Open("roberta"), Open("roberta", c => c with { WithPrompt = true }), Open("roberta", c =>
            c with { WithPrompt = true, Unwanted = true }));
        Assert.NotEqual(Reward(await JudgeAsync(alone, sample)), Reward(await JudgeAsync(pair, sample)));
        Assert.Equal(Expected.Roberta.Sequences[1].Values[0], Reward(await JudgeAsync(pair, sample)), 1e-4);
        Assert.Equal(-Expected.Roberta.Sequences[1].Values[0], Reward(await JudgeAsync(other, sample)), 1e-4);
        Assert.Equal(
            1 - Reward(await JudgeAsync(Open("bert", c => c with { Label = "0" }), sample)),
            Reward(await JudgeAsync(Open("bert", c => c with { Label = "bad", Unwanted = true }), sample)), 1e-12);
        Assert.Equal(
            4, new[] { alone, pair, other, Open("roberta", c => c with { BatchSize = 7 }) }.Select(p => p.Version).Distinct().Count());
    }

    [Fact]
    public async Task A_causal_reward_model_reads_prompt_and_response_as_one_text()
    {
        var judge = Open("gpt2-reward", c => c with { WithPrompt = true });
        Assert.Equal(
            Expected.Gpt2Reward.Sequences[1].Values[0],
            Reward(await JudgeAsync(judge, Sample(0, Expected.Inputs[1].Second!) with { Prompt = Expected.Inputs[1].First })), 1e-4);
    }

    [Theory]
    [InlineData("bert", "good")]
    [InlineData("roberta", null)]
    [InlineData("gpt2-reward", null)]
    public async Task Every_sample_has_its_label_and_the_order_of_samples_changes_none(string name, string? label)
    {
        var judge = Open(name, c => c with { Label = label, BatchSize = 4, WithPrompt = true });
        FeedbackRequest[] samples = [.. Enumerable.Range(0, 50)
            .Select(i => Sample(i, string.Concat(Enumerable.Repeat(" the cat sat", i % 9)) + (i % 9 == 0 ? "" : $" {i % 5}")))];
        var told = new Told();
        var judged = await judge.JudgeAsync(samples, told, CancellationToken.None);
        Assert.Equal(samples.Select(s => s.Id), judged.Select(j => j.Id));
        Assert.Equal(samples.Length, told.Samples);
        Assert.All(samples.Zip(judged), pair =>
            Assert.Equal(string.IsNullOrWhiteSpace(pair.First.Text), pair.Second.Outcome is FeedbackOutcome.Abstained));
        Assert.All(judged, j => Assert.True(j.Outcome is FeedbackOutcome.Labelled or FeedbackOutcome.Abstained));

        FeedbackRequest[] mixed = [.. samples.OrderBy(s => s.Id.K * 37 % 50)];
        var again = (await judge.JudgeAsync(mixed, null, CancellationToken.None)).ToDictionary(j => j.Id, j => j.Outcome);
        Assert.All(judged, j => Assert.Equal(j.Outcome, again[j.Id]));
    }

    [Fact]
    public async Task A_cancelled_judgement_stops() => await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
        Open("roberta").JudgeAsync([Sample(0, "a")], null, new CancellationToken(canceled: true)));

    [Fact]
    public void What_the_model_cannot_do_is_refused_in_one_line()
    {
        Assert.Contains(
            "label is missing; expected which of the classifier's labels", Assert.Throws<InputException>(() => Open("bert")).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "maxLength is 41, expected at most the model's 40 positions",
            Assert.Throws<InputException>(() => Open("roberta", c => c with { MaxLength = 41 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_is_loaded_once_and_must_be_what_the_run_began_with()
    {
        using var copy = new CheckpointCopy("bert");
        var model = _checkpoints.Classifier(copy.Folder, RunDevice.Cpu);
        Assert.Same(model, _checkpoints.Classifier(copy.Folder, RunDevice.Cpu));
        Assert.NotSame((SequenceModel)model, _checkpoints.Embedder(copy.Folder, RunDevice.Cpu));
        _checkpoints.RequireUnchanged(new Dictionary<string, string> { [copy.Weights] = model.Hash });
        var message = Assert.Throws<InputException>(() =>
            _checkpoints.RequireUnchanged(new Dictionary<string, string> { [copy.Weights] = "another" })).Message;
        Assert.Contains("model.safetensors' is not the file that the run began with", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task R3_takes_relevance_from_an_encoder_on_this_machine()
    {
        var config = new JudgeConfig.R3 { Encoder = EncoderReference.Folder("contriever") };
        var judge = new R3Judge(config, new EncodedRelevance(_checkpoints.Embedder(config.Encoder, RunDevice.Cpu)), null);
        // These three end where the reference cut them, or are whole.
        var (prompt, response, reference) = (Expected.Inputs[0].First, Expected.Inputs[1].First, Expected.Inputs[2].First);
        FeedbackRequest open = Sample(0, response) with { Prompt = prompt }, closed = Sample(1, response) with { Reference = reference };
        var judged = await judge.JudgeAsync([open, closed, Sample(2, " ")], null, CancellationToken.None);

        double Dot(int a, int b) =>
            Expected.Contriever.Sequences[a].Values.Zip(Expected.Contriever.Sequences[b].Values, (x, y) => x * y).Sum();
        Assert.Equal(R3.Open(response, Dot(0, 1)), ((FeedbackOutcome.Labelled)judged[0].Outcome).Reward, 1e-4);
        Assert.Equal(R3.Closed(response, Dot(2, 1)), ((FeedbackOutcome.Labelled)judged[1].Outcome).Reward, 1e-4);
        Assert.Equal(new FeedbackOutcome.Abstained("the text is empty"), judged[2].Outcome);
        Assert.Equal(Dot(0, 1), double.Parse(Assert.Single(judged[0].Calls).Reply!, CultureInfo.InvariantCulture), 1e-3);
        Assert.StartsWith(_checkpoints.Embedder(config.Encoder, RunDevice.Cpu).Hash, judge.Version, StringComparison.Ordinal);
    }

    private CheckpointJudge Open(string name, Func<JudgeConfig.Checkpoint, JudgeConfig.Checkpoint>? change = null)
    {
        var config = new JudgeConfig.Checkpoint { Folder = EncoderReference.Folder(name) };
        return new CheckpointJudge(change?.Invoke(config) ?? config, _checkpoints.Classifier(config.Folder, RunDevice.Cpu));
    }

    private static Task<IReadOnlyList<Judgement>> JudgeAsync(CheckpointJudge judge, FeedbackRequest sample) =>
        judge.JudgeAsync([sample], null, CancellationToken.None);

    private static double Reward(IReadOnlyList<Judgement> judged) => ((FeedbackOutcome.Labelled)Assert.Single(judged).Outcome).Reward;

    private static FeedbackRequest Sample(int k, string text) => new(new SampleId(1, 0, k), "What did the cat do?", text);

    private sealed class Told : IProgress<int>
    {
        public int Samples { get; private set; }

        public void Report(int value) => Samples += value;
    }
}
