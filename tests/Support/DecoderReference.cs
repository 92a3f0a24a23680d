using System.Text.Json;
using Alt.Model.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests;

/// <summary>What transformers computes for a tiny checkpoint: the values of Golden/decoder_reference.py.</summary>
internal sealed class DecoderReference : IDisposable
{
    private readonly SafetensorsFile _expected;

    public DecoderReference(string name)
    {
        _expected = SafetensorsFile.Open(Path.Combine(FolderOf(name), "expected.safetensors"));
        Values = JsonSerializer.Deserialize<Expected>(
            File.ReadAllBytes(Path.Combine(FolderOf(name), "expected.json")), JsonSerializerOptions.Web)!;
    }

    public static IReadOnlyList<string> Names { get; } = ["gpt2", "gptj", "gpt-neox", "gpt-neox-sequential", "llama", "llama-3", "qwen2"];

    public Expected Values { get; }

    /// <summary>B sequences of T tokens, padded on the right (B, T).</summary>
    public Tensor Ids => this["ids"];

    public Tensor this[string name] => _expected.Read(name);

    public IReadOnlyList<(int[] Prompt, int[] Response)> Rows => [.. Values.Sequences.Select(s => (s.Prompt, s.Response))];

    public static string FolderOf(string name) => Repository.PathOf("tests", "Golden", "decoders", name);

    /// <summary>The largest difference of two tensors at tokens, leaving out the padding, which is zero in the reference.</summary>
    public double Difference(Tensor found, string expected)
    {
        var reference = this[expected].to(float32);
        var flat = reference.view(-1, reference.shape[^1]);                             // (N, C) or (N, V)
        var padding = flat.abs().sum(1, keepdim: true).eq(0);                           // (N, 1)
        return (found.to(float32).view(flat.shape) - flat).masked_fill(padding, 0).abs().max().ToDouble();
    }

    public void Dispose() => _expected.Dispose();

    internal sealed record Expected(Sequence[] Sequences, double Nll, double LargestLogit);

    internal sealed record Sequence(int[] Prompt, int[] Response, int[] Greedy);
}
