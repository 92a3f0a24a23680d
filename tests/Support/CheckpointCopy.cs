using System.Text.Json;
using Alt.Model.Checkpoints;
using TorchSharp;

namespace Alt.Tests;

/// <summary>A copy of one of Golden/encoders' checkpoints that a test may change.</summary>
internal sealed class CheckpointCopy : IDisposable
{
    public CheckpointCopy(string name)
    {
        foreach (var file in Directory.GetFiles(EncoderReference.Folder(name)))
        {
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("alt-checkpoint-").FullName;

    public string Weights => PathOf("model.safetensors");

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Replaces a text that the file holds.</summary>
    public void Change(string file, string old, string @new)
    {
        var text = File.ReadAllText(PathOf(file));
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(PathOf(file), text.Replace(old, @new, StringComparison.Ordinal));
    }

    /// <summary>Gives tensors other names; null leaves one out.</summary>
    public void Rename(Func<string, string?> name)
    {
        using var scope = torch.NewDisposeScope();
        SafetensorsWriter.Write(Weights, [.. Tensors().Where(tensor => name(tensor.Key) is not null)
            .Select(tensor => KeyValuePair.Create(name(tensor.Key)!, tensor.Value))]);
    }

    /// <summary>Spreads the weights over two shards with an index, in turn.</summary>
    /// <returns>The index.</returns>
    public string Shard()
    {
        using var scope = torch.NewDisposeScope();
        var map = new Dictionary<string, string>();
        foreach (var (shard, tensors) in Tensors().Index().GroupBy(tensor => tensor.Index % 2, tensor => tensor.Item)
            .Select((group, i) => ($"model-0000{i + 1}-of-00002.safetensors", group)))
        {
            SafetensorsWriter.Write(PathOf(shard), tensors);
            foreach (var (name, _) in tensors)
            {
                map[name] = shard;
            }
        }

        File.Delete(Weights);
        var index = Weights + ".index.json";
        File.WriteAllText(index, JsonSerializer.Serialize(new { metadata = new { total_size = 0 }, weight_map = map }));
        return index;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private KeyValuePair<string, torch.Tensor>[] Tensors()
    {
        using var file = SafetensorsFile.Open(Weights);
        return [.. file.Entries.Keys.Select(key => KeyValuePair.Create(key, file.Read(key)))];
    }
}
