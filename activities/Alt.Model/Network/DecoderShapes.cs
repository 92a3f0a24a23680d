namespace Alt.Model.Network;

/// <summary>Shapes of well-known models, for benchmarks with random weights.</summary>
public static class DecoderShapes
{
    private static readonly Dictionary<string, DecoderConfig> Shapes = new()
    {
        ["gpt2"] = new(),
        ["gpt2-medium"] = new() { Width = 1_024, Layers = 24, Heads = 16 },
        ["gpt2-large"] = new() { Width = 1_280, Layers = 36, Heads = 20 },
        ["gpt2-xl"] = new() { Width = 1_600, Layers = 48, Heads = 25 },
        ["gpt-j"] = new()
        {
            Architecture = Architecture.GptJ,
            Vocabulary = 50_400,
            Positions = 2_048,
            Width = 4_096,
            Layers = 28,
            Heads = 16,
            TiedHead = false,
            Rotary = new(64, 10_000, null),
        },
        ["pythia-410m"] = new()
        {
            Architecture = Architecture.NeoX,
            Vocabulary = 50_304,
            Positions = 2_048,
            Width = 1_024,
            Layers = 24,
            Heads = 16,
            TiedHead = false,
            EndOfText = 0,
            Rotary = new(16, 10_000, null),
        },
        ["qwen2-0.5b"] = new()
        {
            Architecture = Architecture.Qwen2,
            Vocabulary = 151_936,
            Positions = 32_768,
            Width = 896,
            Layers = 24,
            Heads = 14,
            KeyValueHeads = 2,
            Inner = 4_864,
            NormEpsilon = 1e-6,
            EndOfText = 151_643,
            Rotary = new(64, 1_000_000, null),
        },
    };

    public static IEnumerable<string> Names => Shapes.Keys;

    /// <exception cref="KeyNotFoundException">There is no shape of that name.</exception>
    public static DecoderConfig Of(string name) => Shapes[name];
}
