using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>
/// A prompt with its true continuation, each with a toxicity in [0, 1], or null if it was not scored (RealToxicityPrompts).
/// </summary>
public sealed record LabelledRow(string PromptText, double? PromptToxicity, string ContinuationText, double? ContinuationToxicity);

/// <summary>
/// Prompts in JSON lines. Blank lines count for line numbers only; other members are ignored; an error never repeats a line's text.
/// </summary>
public static class PromptFile
{
    private const string PromptShape = """{"prompt":{"text":"…"}} or {"prompt":"…"}""";
    private const string LabelledShape = """{"prompt":{"text":"…","toxicity":0.1},"continuation":{"text":"…","toxicity":0.1}}""";

    /// <summary>
    /// Reads lines <c>{"prompt":{"text":"…"}}</c> or <c>{"prompt":"…"}</c>, with <c>"reference":"…"</c> or without. Equal prompts stay
    /// apart, each with its own ordinal.
    /// </summary>
    /// <exception cref="InputException">The file is missing, holds no prompt, or has a malformed line.</exception>
    public static IReadOnlyList<Prompt> Read(string path) =>
        [.. Rows(path, PromptShape, line => (Text: line.PromptText(), Reference: line.Reference()))
            .Select((row, ordinal) => new Prompt(ordinal, row.Text, row.Reference))];

    /// <summary>Reads the rows of RealToxicityPrompts, <c>{"prompt":{"text","toxicity"},"continuation":{"text","toxicity"}}</c>.</summary>
    /// <exception cref="InputException">The file is missing, holds no row, or has a malformed line.</exception>
    public static IReadOnlyList<LabelledRow> ReadLabelled(string path) =>
        Rows(path, LabelledShape, line =>
            new LabelledRow(line.Text("prompt"), line.Toxicity("prompt"), line.Text("continuation"), line.Toxicity("continuation")));

    private static IReadOnlyList<T> Rows<T>(string path, string shape, Func<Line, T> parse) => JsonLinesFile.Read(
        path, $"JSON lines, each {shape}", $"not valid JSON; expected {shape}",
        (JsonElement root, string place) => parse(new Line(root, problem => new InputException($"{place}: {problem}; expected {shape}"))));

    private readonly record struct Line(JsonElement Root, Func<string, InputException> Malformed)
    {
        public string PromptText() =>
            Member(Root, "prompt") is { ValueKind: JsonValueKind.String } prompt ? String(prompt, "prompt") : Text("prompt");

        public string? Reference() => Member(Root, "reference") switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.String } reference => String(reference, "reference"),
            _ => throw Malformed("'reference' is no text"),
        };

        public string Text(string name) =>
            Member(Root, name) is { } part && Member(part, "text") is { ValueKind: JsonValueKind.String } text
                ? String(text, name)
                : throw Malformed($"'{name}' is missing or has no text");

        public double? Toxicity(string name) => Member(Member(Root, name)!.Value, "toxicity") switch
        {
            null or { ValueKind: JsonValueKind.Null } => null,
            { ValueKind: JsonValueKind.Number } score when score.TryGetDouble(out var value) && value is >= 0 and <= 1 => value,
            _ => throw Malformed($"the toxicity of '{name}' is not a number from 0 to 1"),
        };

        private string String(JsonElement element, string name)
        {
            try
            {
                return element.GetString() is { Length: > 0 } text ? text : throw Malformed($"the text of '{name}' is empty");
            }
            catch (InvalidOperationException e)
            {
                // Half a surrogate pair, written as an escape.
                throw new InputException(Malformed($"the text of '{name}' is not valid Unicode").Message, e);
            }
        }

        private static JsonElement? Member(JsonElement parent, string name) =>
            parent.ValueKind == JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : null;
    }
}
