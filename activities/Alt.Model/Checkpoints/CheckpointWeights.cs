using Alt.Domain;
using static TorchSharp.torch;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A checkpoint folder's weights, in one file or in shards: tensors by name, each checked against the shape that the config says.
/// </summary>
internal sealed class CheckpointWeights : IDisposable
{
    private readonly WeightFiles _files;
    private readonly string _prefix;
    private readonly Dictionary<string, TensorFile> _opened = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorFile> _tensors;

    /// <param name="prefix">
    /// What the names of a model's trunk begin with where a head stands beside it, such as <c>bert.</c>; a file may have it or not.
    /// </param>
    /// <exception cref="InputException">A file is missing or damaged, or the index and the shards do not fit.</exception>
    public CheckpointWeights(string folder, string prefix)
    {
        _files = WeightFiles.In(folder);
        _prefix = prefix;
        if (!File.Exists(_files.Path))
        {
            throw new InputException(
                $"{_files.Path} does not exist, expected a safetensors file; in its place may stand "
                + $"{string.Join(" or ", WeightFiles.Candidates(folder).Skip(1).Select(Path.GetFileName))}");
        }

        try
        {
            _tensors = _files.Shards is { } shards
                ? shards.ToDictionary(tensor => tensor.Key, tensor => InShard(tensor.Key, tensor.Value))
                : Opened(_files.Path).Entries.Keys.ToDictionary(name => name, _ => Opened(_files.Path));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tensors' names as the files have them.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <param name="name">With the prefix where it belongs to the trunk, as everywhere below.</param>
    public bool Has(string name) => Stored(name) is not null;

    /// <summary>The shape and the type in which a tensor is stored.</summary>
    /// <exception cref="InputException">There is no such tensor.</exception>
    public StoredTensor Find(string name) => Stored(name) is { } stored ? _tensors[stored].Entries[stored] : throw Missing(name, "");

    /// <summary>One tensor in single precision.</summary>
    /// <exception cref="InputException">There is no such tensor, or it has another shape.</exception>
    public Tensor Read(string name, params long[] shape) => Read(name, float32, shape);

    /// <summary>One tensor in the processor's memory.</summary>
    /// <param name="type">Null leaves the type in which it is stored.</param>
    /// <exception cref="InputException">There is no such tensor, or it has another shape.</exception>
    public Tensor Read(string name, ScalarType? type, params long[] shape)
    {
        var stored = Stored(name) ?? throw Missing(name, $", expected one of shape [{string.Join(", ", shape)}]");
        var file = _tensors[stored];
        var found = file.Entries[stored];
        if (!found.Shape.SequenceEqual(shape))
        {
            throw new InputException(
                $"{file.Path}: {name} has shape [{string.Join(", ", found.Shape)}], expected [{string.Join(", ", shape)}] by config.json");
        }

        var tensor = file.Read(stored);
        if (type is null || type == found.Type)
        {
            return tensor;
        }

        using (tensor)
        {
            return tensor.to(type.Value);
        }
    }

    public void Dispose()
    {
        foreach (var file in _opened.Values)
        {
            file.Dispose();
        }
    }

    private TensorFile InShard(string name, string shard)
    {
        var path = _files.PathOf(shard);
        var file = Opened(path);
        return file.Entries.ContainsKey(name)
            ? file
            : throw new InputException(
                $"{path} has no tensor {InputException.Quote(name)}, but {Path.GetFileName(_files.Path)} lists it there; expected index "
                + "and shards of one checkpoint");
    }

    private TensorFile Opened(string path)
    {
        if (!_opened.TryGetValue(path, out var file))
        {
            _opened[path] = file = path.EndsWith(".bin", StringComparison.Ordinal) ? TorchFile.Open(path) : SafetensorsFile.Open(path);
        }

        return file;
    }

    private InputException Missing(string name, string expected) =>
        new($"{_files.Path} has no tensor {name}{expected}: is the checkpoint's config.json its own?");

    // The oldest checkpoints call a norm's weight gamma and its bias beta.
    private string? Stored(string name)
    {
        var bare = name.StartsWith(_prefix, StringComparison.Ordinal) ? name[_prefix.Length..] : name;
        return new[] { name, bare, Older(name), Older(bare) }.FirstOrDefault(_tensors.ContainsKey);
    }

    private static string Older(string name) =>
        name.Replace("LayerNorm.weight", "LayerNorm.gamma", StringComparison.Ordinal)
            .Replace("LayerNorm.bias", "LayerNorm.beta", StringComparison.Ordinal);
}
