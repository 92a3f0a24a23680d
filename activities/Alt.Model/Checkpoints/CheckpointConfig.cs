using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;

namespace Alt.Model.Checkpoints;

/// <summary>A checkpoint folder's <c>config.json</c>, as Hugging Face writes it.</summary>
internal sealed class CheckpointConfig
{
    public const string FileName = "config.json";
    public const string GenerationFileName = "generation_config.json";

    private readonly string _path;
    private readonly JsonObject _json;

    private CheckpointConfig(string path, JsonObject json) => (_path, _json) = (path, json);

    /// <param name="expected">What the folder should be, for the error.</param>
    /// <exception cref="InputException">The file is missing or is not a JSON object.</exception>
    public static CheckpointConfig Read(string folder, string expected) =>
        TryRead(folder, FileName)
            ?? throw new InputException($"{Path.Combine(folder, FileName)} does not exist, expected the config of {expected}");

    /// <summary>Another JSON file of the folder; null if it is missing.</summary>
    /// <exception cref="InputException">The file is not a JSON object.</exception>
    public static CheckpointConfig? TryRead(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var bytes = File.ReadAllBytes(path);
            JsonStrings.Check(bytes);
            var json = JsonNode.Parse(bytes, documentOptions: new() { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new JsonException("it is not a JSON object");
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
        return expected.Contains(found)
            ? found
            : throw new InputException($"{_path}: {key} is {found}, expected {string.Join(" or ", expected)}");
    }

    public bool Has(string key) => _json[key] is not null;

    /// <summary>An object within the file; null if it is missing.</summary>
    public CheckpointConfig? Section(string key) => _json[key] switch
    {
        null => null,
        JsonObject section => new CheckpointConfig($"{_path}: {key}", section),
        _ => throw Unexpected(key, "an object"),
    };

    public int Integer(string key, int? absent = null) => OptionalInteger(key) ?? absent ?? throw Missing(key, "an integer");

    public int? OptionalInteger(string key) => Value<int>(key, "an integer");

    public double Number(string key, double? absent = null) => OptionalNumber(key) ?? absent ?? throw Missing(key, "a number");

    public double? OptionalNumber(string key) => Value<double>(key, "a number");

    public bool Flag(string key, bool absent) => Value<bool>(key, "true or false") ?? absent;

    /// <summary>An integer or a list of them; none where the key is absent.</summary>
    public IReadOnlyList<int> Integers(string key) => _json[key] is JsonArray list
        ? [.. list.Select(item =>
            item is JsonValue value && value.TryGetValue<int>(out var number) ? number : throw Unexpected(key, "integers"))]
        : OptionalInteger(key) is { } single ? [single] : [];

    public override string ToString() => _json.ToJsonString();

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

    /// <exception cref="InputException">A size is too small or too large.</exception>
    public void RequireRange((string Key, int Value) size, int lowest, int highest)
    {
        if (size.Value < lowest || size.Value > highest)
        {
            throw new InputException($"{_path}: {size.Key} is {size.Value}, expected {lowest} to {highest}");
        }
    }

    private T? Value<T>(string key, string expected)
        where T : struct => _json[key] switch
        {
            null => null,
            JsonValue value when value.TryGetValue<T>(out var found) => found,
            _ => throw Unexpected(key, expected),
        };

    private InputException Unexpected(string key, string expected) =>
        new($"{_path}: {key} is {_json[key]!.ToJsonString()}, expected {expected}");

    public InputException Missing(string key, string expected) => new($"{_path}: {key} is missing, expected {expected}");

    // For invalid JSON, .NET's message quotes everything that follows.
    private static InputException Invalid(string path, Exception e) =>
        new(
            $"{path} is not a valid config: "
                + $"{(e is JsonException { Path: null, LineNumber: { } line } ? $"line {line + 1} is not JSON" : e.Message)}",
            e);
}
