using System.Text.Json;
using Alt.Domain;

namespace Alt.Model.Checkpoints;

/// <summary>The files of a checkpoint folder that hold its weights, in one of the layouts that transformers writes.</summary>
/// <param name="Path">The file of all weights, or the index that says which shard has which.</param>
/// <param name="Shards">The shard of each tensor by the tensor's name; null where one file has all.</param>
public sealed record WeightFiles(string Path, IReadOnlyDictionary<string, string>? Shards)
{
    /// <summary>What holds the weights where one file has all of them.</summary>
    public const string SafetensorsName = "model.safetensors";

    /// <summary>What says which file has which tensor where several have them.</summary>
    public const string SafetensorsIndexName = SafetensorsName + IndexSuffix;

    private const string PickledName = "pytorch_model.bin";
    private const string IndexSuffix = ".index.json";
    private const long LargestIndex = 100_000_000;

    // In the order in which transformers looks for them.
    private static readonly string[] Names = [SafetensorsName, SafetensorsIndexName, PickledName, PickledName + IndexSuffix];

    /// <summary>The file, or the index and then its shards in ordinal order.</summary>
    public IEnumerable<string> All =>
        Shards is null ? [Path] : [Path, .. Shards.Values.Distinct().Order(StringComparer.Ordinal).Select(PathOf)];

    /// <summary>Where a folder's weights may be.</summary>
    public static IEnumerable<string> Candidates(string folder) => Names.Select(name => System.IO.Path.Combine(folder, name));

    /// <summary>The first layout that the folder has; one file of safetensors, which is then missing, where it has none.</summary>
    /// <exception cref="InputException">There is an index that is damaged, or that names a file which is not beside it.</exception>
    public static WeightFiles In(string folder)
    {
        var path = Candidates(folder).FirstOrDefault(File.Exists) ?? Candidates(folder).First();
        if (!path.EndsWith(IndexSuffix, StringComparison.Ordinal))
        {
            return new WeightFiles(path, null);
        }

        var sharded = new WeightFiles(path, ReadIndex(path));
        return sharded.All.FirstOrDefault(file => !File.Exists(file)) is { } missing
            ? throw new InputException(
                $"{missing} does not exist, but {System.IO.Path.GetFileName(path)} names it; expected every shard beside the index")
            : sharded;
    }

    /// <summary>The path of a file that <see cref="Shards"/> names.</summary>
    public string PathOf(string shard) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(Path)!, shard);

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            if (new FileInfo(path).Length is var length and > LargestIndex)
            {
                throw new FormatException($"it has {length} bytes, expected at most {LargestIndex}");
            }

            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            if (json.RootElement.ValueKind != JsonValueKind.Object
                || !json.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("it has no weight_map, which says which file has which tensor");
            }

            return map.EnumerateObject().ToDictionary(tensor => tensor.Name, tensor => ShardName(tensor.Value));
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            throw new InputException($"{path} is not an index of weights: {e.Message}; fetch the checkpoint's files again", e);
        }
    }

    private static string ShardName(JsonElement json)
    {
        var name = json.ValueKind == JsonValueKind.String
            ? json.GetString()!
            : throw new FormatException($"weight_map has a value of kind {json.ValueKind}, expected a file's name");
        return name is "" or "." or ".." || name.Any(c => c is '/' or '\\' || char.IsControl(c)) || name.Length > byte.MaxValue
            ? throw new FormatException($"weight_map names a file that is not in its own folder: '{InputException.Quote(name)}'")
            : name;
    }
}
