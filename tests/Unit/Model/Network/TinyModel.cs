using Alt.Domain;
using Alt.Model.Network;
using Alt.Model.Sampling;
using Alt.Model.Training;

namespace Alt.Tests.Model;

/// <summary>A model small enough that a test of it takes milliseconds.</summary>
internal static class TinyModel
{
    public const int EndOfText = 29;

    public static readonly DecoderConfig Config =
        new() { Vocabulary = 30, Positions = 24, Width = 20, Layers = 2, Heads = 2, EndOfText = EndOfText, InitializerRange = 0.3 };

    public static LanguageModel Create(long seed = 1) => LanguageModel.Create(Config, seed);

    /// <summary>Prompts of different lengths, several generations each.</summary>
    public static SamplingJob[] Jobs(int prompts = 5, int generations = 4) =>
        [.. from prompt in Enumerable.Range(0, prompts) from k in Enumerable.Range(0, generations)
            select new SamplingJob(
                [.. Enumerable.Range(0, prompt + 1).Select(t => (prompt * 5 + t * 3) % EndOfText)],
                new RandomKey(3, 1, Stage.Sampling, prompt, k))];

    public static TrainingExample[] Examples(int count = 20) =>
        [.. Enumerable.Range(0, count).Select(i => new TrainingExample(
            i % 3 == 0 ? [] : [20 + i % 2], [i % 10, 11, i % 4], [.. Enumerable.Range(0, 2 + i % 5).Select(t => (i + t) % 7), EndOfText]))];
}
