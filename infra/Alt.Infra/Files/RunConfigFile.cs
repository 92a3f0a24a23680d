using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Alt.Domain;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Alt.Infra;

/// <summary>Reads a run's config: a YAML file, then <c>--set a.b=c</c> changes, then the domain's checks.</summary>
public static class RunConfigFile
{
    /// <summary>Keys whose values are files or folders.</summary>
    private static readonly string[][] PathKeys =
        [["data", "grammar"], ["data", "prompts"], ["data", "evaluation"], ["data", "labelled"], ["data", "text"], ["model", "checkpoint"]];

    /// <summary>How a config states that a key is in a file.</summary>
    private const string InFile = "file:";

    /// <param name="path">The YAML file; relative file names inside it are taken from its own folder.</param>
    /// <param name="settings">
    /// Changes of the shape <c>training.steps=40</c>; the value is YAML, relative file names are taken from the current folder.
    /// </param>
    /// <returns>A config with absolute file names, since a worker may run in another folder.</returns>
    /// <exception cref="InputException">The file is missing or malformed, or a key or value is not valid for a run.</exception>
    public static RunConfig Read(string path, IEnumerable<string> settings)
    {
        var root = YamlFile.Load(path, "a run's config, such as infra/experiments/quickstart.yaml") as YamlMappingNode
            ?? throw new InputException($"{path}: expected keys and values at the top level");
        MakeAbsolute(root, Path.GetDirectoryName(Path.GetFullPath(path))!);
        foreach (var setting in settings)
        {
            Apply(root, setting);
        }

        MakeAbsolute(root, Environment.CurrentDirectory);
        return Bind(root, path);
    }

    /// <summary>A recorded config with <c>--set a.b=c</c> changes.</summary>
    /// <exception cref="InputException">A key or value is not valid for a run.</exception>
    public static RunConfig Change(RunConfig config, IReadOnlyList<string> settings)
    {
        // JSON is YAML, so a setting means the same here as on top of a file.
        var stream = new YamlStream();
        stream.Load(new StringReader(JsonSerializer.Serialize(config, AltJson.Options)));
        var root = (YamlMappingNode)stream.Documents[0].RootNode;
        foreach (var setting in settings)
        {
            Apply(root, setting);
        }

        MakeAbsolute(root, Environment.CurrentDirectory);
        return Bind(root, null);
    }

    /// <summary>The keys, such as <c>training.steps</c>, whose values differ in the other config; a list is one value.</summary>
    public static IReadOnlyList<string> Differences(RunConfig one, RunConfig other) =>
        [.. Differences(JsonSerializer.SerializeToNode(one, AltJson.Options), JsonSerializer.SerializeToNode(other, AltJson.Options), "")];

    private static IEnumerable<string> Differences(JsonNode? one, JsonNode? other, string path)
    {
        if (one is JsonObject a && other is JsonObject b)
        {
            return a.Select(p => p.Key).Union(b.Select(p => p.Key))
                .SelectMany(key => Differences(a[key], b[key], path.Length == 0 ? key : $"{path}.{key}"));
        }

        return JsonNode.DeepEquals(one, other) ? [] : [path];
    }

    private static void MakeAbsolute(YamlMappingNode root, string folder)
    {
        foreach (var keys in PathKeys)
        {
            if (root.Children.TryGetValue(keys[0], out var section) && section is YamlMappingNode mapping
                && mapping.Children.TryGetValue(keys[1], out var value))
            {
                IEnumerable<YamlNode> names = value is YamlSequenceNode sequence ? sequence.Children : [value];
                foreach (var name in names.OfType<YamlScalarNode>().Where(n => n.Value is not (null or "" or "~" or "null")))
                {
                    name.Value = Path.GetFullPath(name.Value!, folder);
                }
            }
        }

        if (root.Children.TryGetValue("feedback", out var feedback))
        {
            ResolveJudges(feedback, folder, "feedback");
        }
    }

    /// <summary>
    /// Replaces the name of a judge's question file by its text, so that a run depends on no file after its start; a key stays
    /// in its file and a checkpoint in its folder, whose names become absolute.
    /// </summary>
    private static void ResolveJudges(YamlNode node, string folder, string path)
    {
        if (node is YamlSequenceNode list)
        {
            foreach (var (i, item) in list.Children.Index())
            {
                ResolveJudges(item, folder, $"{path}[{i}]");
            }
        }

        foreach (var (name, value) in (node as YamlMappingNode)?.Children.ToArray() ?? [])
        {
            var inner = $"{path}.{((YamlScalarNode)name).Value}";
            if (inner.EndsWith(".template", StringComparison.Ordinal) && value is YamlScalarNode { Value: { Length: > 0 } file } template
                && file is not ("~" or "null") && !file.Contains('\n', StringComparison.Ordinal))
            {
                var question = Path.GetFullPath(file, folder);
                template.Value = File.Exists(question)
                    ? File.ReadAllText(question)
                    : throw new InputException(
                        $"{inner}: no such file '{question}'; expected a judge's question, or leave it out for the shipped one");
                template.Style = ScalarStyle.Literal;
            }

            if (inner.EndsWith(".apiKey", StringComparison.Ordinal) && value is YamlScalarNode { Value: { } place } key
                && place.StartsWith(InFile, StringComparison.Ordinal))
            {
                key.Value = InFile + Path.GetFullPath(place[InFile.Length..], folder);
            }

            if ((inner.EndsWith(".folder", StringComparison.Ordinal) || inner.EndsWith(".encoder", StringComparison.Ordinal))
                && value is YamlScalarNode { Value: not (null or "" or "~" or "null") } checkpoint)
            {
                checkpoint.Value = Path.GetFullPath(checkpoint.Value, folder);
            }

            ResolveJudges(value, folder, inner);
        }
    }

    private static void Apply(YamlMappingNode root, string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals <= 0)
        {
            throw new InputException($"--set {setting}: expected key=value, such as --set training.steps=40");
        }

        var keys = setting[..equals].Split('.');
        var node = root;
        foreach (var key in keys[..^1])
        {
            if (!node.Children.TryGetValue(key, out var child) || child is not YamlMappingNode mapping)
            {
                node.Children[key] = mapping = new YamlMappingNode();
            }

            node = mapping;
        }

        try
        {
            var stream = new YamlStream();
            stream.Load(new StringReader(setting[(equals + 1)..]));
            node.Children[keys[^1]] = stream.Documents.Count > 0 ? stream.Documents[0].RootNode : new YamlScalarNode("");
        }
        catch (Exception e) when (e is YamlException or InvalidOperationException)
        {
            throw new InputException($"--set {setting}: the value is not valid YAML: {e.Message}", e);
        }
    }

    /// <param name="path">The file, for errors; null if there is none.</param>
    private static RunConfig Bind(YamlMappingNode root, string? path)
    {
        RunConfig config;
        try
        {
            config = ToJson(root)!.Deserialize<RunConfig>(AltJson.Options)!;
        }
        catch (JsonException e)
        {
            throw new InputException(path is null ? Explain(root, e) : $"{path}{Line(root, e.Path)}: {Explain(root, e)}", e);
        }

        var problems = config.Problems().ToArray();
        return problems.Length == 0
            ? config
            : throw new InputException($"{(path is null ? "" : $"{path}: ")}{string.Join("; ", problems)}");
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode mapping =>
            new JsonObject(mapping.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain } scalar => Plain(scalar.Value ?? ""),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new InputException($"line {node.Start.Line}: {node.NodeType} is not used in configs"),
    };

    private static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var integer) =>
            JsonValue.Create(integer),
        _ when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) =>
            JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };

    /// <summary>":12" for the YAML line that a JSON path such as $.training.steps comes from; "" if a --set gave it.</summary>
    private static string Line(YamlMappingNode root, string? path)
    {
        YamlNode node = root;
        var line = 0L;
        foreach (var key in Keys(path))
        {
            var child = node is YamlMappingNode mapping
                ? mapping.Children.FirstOrDefault(c => ((YamlScalarNode)c.Key).Value == key)
                : default;
            if (child.Key is null)
            {
                break;
            }

            line = child.Key.Start.Line;
            node = child.Value;
        }

        return line > 0 ? $":{line}" : "";
    }

    private static string Explain(YamlMappingNode root, JsonException e)
    {
        var key = string.Join('.', Keys(e.Path));
        if (e.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            var known = TypeOf(root, Keys(e.Path).SkipLast(1)).GetProperties()
                .Where(p => p.CanWrite).Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name));
            return $"unknown key '{key}'; known here: {string.Join(", ", known.Order(StringComparer.Ordinal))}";
        }

        if (e.Message.Contains("polymorphic", StringComparison.OrdinalIgnoreCase)
            || e.Message.Contains("type discriminator", StringComparison.OrdinalIgnoreCase))
        {
            var kinds = typeof(JudgeConfig).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(k => k.TypeDiscriminator);
            return $"'{key}' needs a kind, one of {string.Join(", ", kinds)}";
        }

        return $"the value of '{key}' has the wrong type or is not one of its words";
    }

    /// <summary>The type of a part of the config; a judge's depends on its kind.</summary>
    private static Type TypeOf(YamlNode? node, IEnumerable<string> keys)
    {
        var type = typeof(RunConfig);
        foreach (var key in keys)
        {
            var (name, index) = key.Split('[', ']') is [var list, var number, ..]
                ? (list, int.Parse(number, CultureInfo.InvariantCulture))
                : (key, -1);
            type = type.GetProperties().First(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase)).PropertyType;
            node = node is YamlMappingNode mapping
                ? mapping.Children.FirstOrDefault(c => ((YamlScalarNode)c.Key).Value == name).Value
                : null;
            if (index >= 0)
            {
                type = type.GetGenericArguments()[0];
                node = (node as YamlSequenceNode)?.Children.ElementAtOrDefault(index);
            }

            var kind = node is YamlMappingNode { Children: var children } && children.TryGetValue("kind", out var value)
                ? (value as YamlScalarNode)?.Value
                : null;
            type = type.GetCustomAttributes<JsonDerivedTypeAttribute>()
                .FirstOrDefault(k => (string?)k.TypeDiscriminator == kind)?.DerivedType ?? type;
        }

        return type;
    }

    private static string[] Keys(string? path) => path is null ? [] : path.TrimStart('$').Split('.', StringSplitOptions.RemoveEmptyEntries);
}
