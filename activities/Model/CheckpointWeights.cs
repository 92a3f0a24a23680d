using Alt.Domain;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>A checkpoint folder's <c>model.safetensors</c>: tensors by name, each checked against the shape that the config says.</summary>
internal sealed class CheckpointWeights : IDisposable
{
    private readonly string _path;
    private readonly string _prefix;
    private readonly SafetensorsFile _file;

    /// <param name="prefix">What the names of a model's trunk begin with where a head stands beside it, such as <c>bert.</c>; a file may have it or not.</param>
    /// <exception cref="InputException">The file is missing or damaged.</exception>
    public CheckpointWeights(string folder, string prefix)
    {
        _path = Path.Combine(folder, LanguageModel.WeightsFileName);
        _prefix = prefix;
        _file = SafetensorsFile.Open(_path);
    }

    public bool Has(string name) => Stored(name) is not null;

    /// <summary>One tensor in single precision.</summary>
    /// <param name="name">With the prefix where it belongs to the trunk.</param>
    /// <exception cref="InputException">The file has no such tensor, or one of another shape.</exception>
    public Tensor Read(string name, params long[] shape)
    {
        if (Stored(name) is not { } stored)
        {
            throw new InputException($"{_path} has no tensor {name}, expected one of shape [{string.Join(", ", shape)}]: is the checkpoint's config.json its own?");
        }

        var found = _file.Entries[stored].Shape;
        return found.SequenceEqual(shape)
            ? _file.Read(stored).to(float32)
            : throw new InputException($"{_path}: {name} has shape [{string.Join(", ", found)}], expected [{string.Join(", ", shape)}] by config.json");
    }

    public void Dispose() => _file.Dispose();

    // The oldest checkpoints call a norm's weight gamma and its bias beta.
    private string? Stored(string name)
    {
        var bare = name.StartsWith(_prefix, StringComparison.Ordinal) ? name[_prefix.Length..] : name;
        return new[] { name, bare, Older(name), Older(bare) }.FirstOrDefault(_file.Entries.ContainsKey);
    }

    private static string Older(string name) => name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal).Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
}
