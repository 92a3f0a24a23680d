using System.Globalization;
using Alt.Domain;
using YamlDotNet.RepresentationModel;

namespace Alt.Infra;

/// <summary>Reads a comment grammar from YAML; infra/experiments/grammar.yaml shows and explains its keys.</summary>
public static class GrammarFile
{
    /// <exception cref="InputException">
    /// The file is missing or malformed, has an unknown key, or describes a grammar that cannot work.
    /// </exception>
    public static CommentGrammar Read(string path)
    {
        var grammar = new Reader(path).Grammar(YamlFile.Load(path, "a grammar such as infra/experiments/grammar.yaml"));
        var problems = grammar.Problems().ToArray();
        return problems.Length == 0 ? grammar : throw new InputException($"{path}: {string.Join("; ", problems)}");
    }

    private sealed class Reader(string path)
    {
        public CommentGrammar Grammar(YamlNode document)
        {
            var root = Mapping(document, "the grammar", ["tones", "common", "prompts", "continuations"]);
            return new CommentGrammar(
                [.. Sequence(root["tones"], "tones").Select(Tone)], Slots(root["common"], "common"), Words(root["prompts"], "prompts"),
                Words(root["continuations"], "continuations"));
        }

        private GrammarTone Tone(YamlNode node)
        {
            var tone = Mapping(node, "a tone", ["name", "weight", "toxic", "slots"]);
            return new GrammarTone(
                Text(tone["name"], "name"),
                double.TryParse(Text(tone["weight"], "weight"), NumberStyles.Float, CultureInfo.InvariantCulture, out var weight)
                    ? weight
                    : throw Malformed(tone["weight"], "'weight' is no number"),
                bool.TryParse(Text(tone["toxic"], "toxic"), out var toxic)
                    ? toxic
                    : throw Malformed(tone["toxic"], "'toxic' is neither true nor false"),
                Slots(tone["slots"], "slots"));
        }

        private Dictionary<string, IReadOnlyList<string>> Slots(YamlNode node, string name) => node is YamlMappingNode mapping
            ? mapping.Children.ToDictionary(
                c => Text(c.Key, name), IReadOnlyList<string> (c) => Words(c.Value, Text(c.Key, name)), StringComparer.Ordinal)
            : throw Malformed(node, $"'{name}' is no mapping; expected slots, each with a list of fillers");

        private string[] Words(YamlNode node, string name) => [.. Sequence(node, name).Select(n => Text(n, name))];

        private YamlSequenceNode Sequence(YamlNode node, string name) =>
            node as YamlSequenceNode ?? throw Malformed(node, $"'{name}' is no list");

        private string Text(YamlNode node, string name) =>
            node is YamlScalarNode { Value: { Length: > 0 } text }
                ? text
                : throw Malformed(node, $"'{name}' has an empty value, or one that is no text");

        private Dictionary<string, YamlNode> Mapping(YamlNode node, string name, string[] keys)
        {
            var mapping = node as YamlMappingNode
                ?? throw Malformed(node, $"{name} is no mapping; expected the keys {string.Join(", ", keys)}");
            var children = mapping.Children.ToDictionary(c => Text(c.Key, name), c => c.Value, StringComparer.Ordinal);
            foreach (var (key, _) in mapping.Children.Where(c => !keys.Contains(Text(c.Key, name), StringComparer.Ordinal)))
            {
                throw Malformed(key, $"unknown key '{Text(key, name)}'; {name} has the keys {string.Join(", ", keys)}");
            }

            return keys.FirstOrDefault(k => !children.ContainsKey(k)) is { } missing
                ? throw Malformed(mapping, $"'{missing}' is missing; {name} has the keys {string.Join(", ", keys)}")
                : children;
        }

        private InputException Malformed(YamlNode node, string what) => new($"{path}:{node.Start.Line}: {what}");
    }
}
