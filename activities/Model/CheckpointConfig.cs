using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;

namespace Alt.Activities.Model;

/// <summary>A checkpoint folder's <c>config.json</c>, as Hugging Face writes it.</summary>
internal sealed class CheckpointConfig
{
    public const string FileName = "config.json";

    private readonly string _path;
    private readonly JsonObject _json;

    private CheckpointConfig(string path, JsonObject json) => (_path, _json) = (path, json);

    /// <param name="expected">What the folder should be, for the error.</param>
    /// <exception cref="InputException">The file is missing or is not a JSON object.</exception>
    public static CheckpointConfig Read(string folder, string expected)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new InputException($"{path} does not exist, expected the config of {expected}");
        }

        try
        {
            var bytes = File.ReadAllBytes(path);
            JsonStrings.Check(bytes);
            var json = JsonNode.Parse(bytes) as JsonObject ?? throw new JsonException("it is not a JSON object");
            // A key that stands there twice is found only now.
            _ = json.Count;
            return new CheckpointConfig(path, json);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw Invalid(path, e);
        }
    }

    /// <exception cref="InputException">A value has another kind than the type's member.</exception>
    public T As<T>(JsonSerializerOptions? options = null)
    {
        try
        {
            return _json.Deserialize<T>(options)!;
        }
        catch (JsonException e)
        {
            throw Invalid(_path, e);
        }
    }

    /// <summary>Refuses what the code does not compute; an absent key has its usual value.</summary>
    /// <returns>The value; the first of those expected where it is absent.</returns>
    public string Require(string key, params string[] expected)
    {
        var found = _json[key]?.ToString() ?? expected[0];
        return expected.Contains(found) ? found : throw new InputException($"{_path}: {key} is {found}, expected {string.Join(" or ", expected)}");
    }

    /// <exception cref="InputException">A size is not 1 or more.</exception>
    public void RequirePositive(params (string Key, int Value)[] sizes)
    {
        foreach (var (key, value) in sizes.Where(size => size.Value <= 0))
        {
            throw new InputException($"{_path}: {key} is {value}, expected 1 or more");
        }
    }

    /// <exception cref="InputException">The width is not a multiple of the heads.</exception>
    public void RequireMultiple((string Key, int Value) width, (string Key, int Value) heads)
    {
        if (width.Value % heads.Value != 0)
        {
            throw new InputException($"{_path}: {width.Key} {width.Value} is not a multiple of {heads.Key} {heads.Value}");
        }
    }

    // Of what is not JSON, .NET's message quotes all that follows.
    private static InputException Invalid(string path, Exception e) =>
        new($"{path} is not a valid config: {(e is JsonException { Path: null, LineNumber: { } line } ? $"line {line + 1} is not JSON" : e.Message)}", e);
}
