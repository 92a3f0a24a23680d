using System.Globalization;
using System.Text.Json;

namespace Alt.Model.Checkpoints;

/// <summary>
/// A checkpoint's weights in one file, or where they are too large for one in several with an index, as transformers writes them.
/// </summary>
internal static class WeightShards
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, IndentSize = 2 };

    /// <param name="folder">Exists; its earlier weights go.</param>
    /// <param name="tensors">In the order in which they are shared out to the files.</param>
    /// <param name="largest">Bytes of tensors that a file holds at most; one tensor that is larger has a file of its own.</param>
    public static void Write(string folder, IEnumerable<TensorSource> tensors, long largest)
    {
        string[] earlier = [WeightFiles.SafetensorsName, WeightFiles.SafetensorsIndexName, "model-*-of-*.safetensors"];
        foreach (var file in earlier.SelectMany(pattern => Directory.EnumerateFiles(folder, pattern)))
        {
            File.Delete(file);
        }

        var shards = Cut(tensors, largest);
        if (shards is [var only])
        {
            SafetensorsWriter.WriteInTurn(Path.Combine(folder, WeightFiles.SafetensorsName), only);
            return;
        }

        var fileOf = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (i, shard) in shards.Index())
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors");
            SafetensorsWriter.WriteInTurn(Path.Combine(folder, file), shard);
            foreach (var tensor in shard)
            {
                fileOf[tensor.Name] = file;
            }
        }

        var index = new { metadata = new { total_size = shards.Sum(shard => shard.Sum(tensor => tensor.Bytes)) }, weight_map = fileOf };
        File.WriteAllText(Path.Combine(folder, WeightFiles.SafetensorsIndexName), JsonSerializer.Serialize(index, Json) + "\n");
    }

    private static List<List<TensorSource>> Cut(IEnumerable<TensorSource> tensors, long largest)
    {
        List<List<TensorSource>> shards = [[]];
        var bytes = 0L;
        foreach (var tensor in tensors)
        {
            if (bytes > 0 && bytes + tensor.Bytes > largest)
            {
                shards.Add([]);
                bytes = 0;
            }

            shards[^1].Add(tensor);
            bytes += tensor.Bytes;
        }

        return shards;
    }
}
