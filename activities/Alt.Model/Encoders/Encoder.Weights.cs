using Alt.Model.Checkpoints;
using static TorchSharp.torch;

namespace Alt.Model.Encoders;

internal sealed partial class Encoder
{
    private readonly List<Tensor> _weights = [];
    private readonly Tensor _words;         // (V, C)
    private readonly Tensor _positions;     // (P, C)
    private readonly Tensor _types;         // (S, C)
    private readonly Norm _embeddingNorm;
    private readonly Block[] _blocks;

    /// <summary>Reads the trunk of a checkpoint as transformers writes it, whatever head stands beside it.</summary>
    /// <exception cref="Alt.Domain.InputException">A tensor is missing or of another shape than the config says.</exception>
    public Encoder(EncoderConfig config, CheckpointWeights weights, Device device)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        Config = config;
        long C = config.Width, F = config.Inner;
        var trunk = config.Family + ".";
        _words = Read("embeddings.word_embeddings.weight", config.Vocabulary, C);
        _positions = Read("embeddings.position_embeddings.weight", config.PositionRows, C);
        _types = Read("embeddings.token_type_embeddings.weight", config.TokenTypes, C);
        _embeddingNorm = NormOf("embeddings.LayerNorm");
        _blocks = [.. Enumerable.Range(0, config.Layers).Select(layer =>
        {
            var block = $"encoder.layer.{layer}.";
            return new Block(
                AttentionOf(block + "attention.self."), LinearOf(block + "attention.output.dense", C, C),
                NormOf(block + "attention.output.LayerNorm"),
                LinearOf(block + "intermediate.dense", C, F), LinearOf(block + "output.dense", F, C), NormOf(block + "output.LayerNorm"));
        })];
        // Only now that all are read: an earlier failure leaves nothing behind.
        _weights.ForEach(weight => weight.DetachFromDisposeScope());

        Tensor Read(string name, params long[] shape) => Kept(weights.Read(trunk + name, shape).to(device));

        Norm NormOf(string name) => new(Read(name + ".weight", C), Read(name + ".bias", C), config);

        Linear LinearOf(string name, long input, long output) => new(Read(name + ".weight", output, input), Read(name + ".bias", output));

        // Queries, keys and values as one product.
        Linear AttentionOf(string name)
        {
            using var parts = NewDisposeScope();
            string[] names = ["query", "key", "value"];
            var weight = cat([.. names.Select(part => weights.Read(trunk + name + part + ".weight", C, C))]).to(device);     // (3C, C)
            var bias = cat([.. names.Select(part => weights.Read(trunk + name + part + ".bias", C))]).to(device);            // (3C)
            return new Linear(Kept(weight.MoveToOuterDisposeScope()), Kept(bias.MoveToOuterDisposeScope()));
        }

        Tensor Kept(Tensor weight)
        {
            _weights.Add(weight);
            return weight;
        }
    }

    public void Dispose() => _weights.ForEach(weight => weight.Dispose());
}
