using System.Text.Json;

namespace Alt.Tests;

/// <summary>The checkpoints and values of Golden/encoder_reference.py: what transformers computes.</summary>
internal static class EncoderReference
{
    public static readonly Values Expected = JsonSerializer.Deserialize<Values>(
        File.ReadAllBytes(Folder("expected.json")), new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower })!;

    public static string Folder(string name) => Repository.PathOf("tests", "Golden", "encoders", name);

    public sealed record Values(
        Input[] Inputs, string[] Texts, Model Bert, Model Cased, Model Contriever, Model Roberta, Model Gpt2Reward, Model LlamaReward,
        Model GptjReward);

    public sealed record Input(string First, string? Second, int Limit);

    /// <param name="Sequences">Of each input.</param>
    /// <param name="Tokens">Of each text, without special tokens.</param>
    public sealed record Model(Sequence[] Sequences, int[][] Tokens);

    public sealed record Sequence(int[] Ids, double[] Values);
}
