using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Alt.Rehearsal;

/// <summary>A reply, and what it is billed with.</summary>
public sealed record RehearsalReply(int Status, byte[] Body, int InputTokens = 0, int OutputTokens = 0);

/// <summary>
/// What the rehearsal's judge says: its opinion of a text is the worst where it has an unfriendly word, and otherwise follows from the
/// text's hash.
/// So it means little, but says the same every time.
/// </summary>
public static class RehearsalReplies
{
    private const int BytesPerToken = 4, EmbeddingSize = 32;
    private const string Malformed = "That depends on how one looks at it.", WrongLanguage = "Das lässt sich so nicht sagen.";
    private static readonly string[] Unfriendly = ["stupid", "hate", "ugly", "awful"];

    /// <summary>A chat completion.</summary>
    public static RehearsalReply Chat(JsonElement request, Fault fault)
    {
        var messages = request.GetProperty("messages").EnumerateArray().Select(m => m.GetProperty("content").GetString()!).ToArray();
        var text = fault switch
        {
            Fault.Malformed => Malformed,
            Fault.WrongLanguage => WrongLanguage,
            Fault.Contradictory => $"{Judge(request, messages, contrary: false)}\n{Judge(request, messages, contrary: true)}",
            _ => Judge(request, messages, contrary: false),
        };
        var (input, output) = (messages.Sum(Tokens), Tokens(text));
        var body = Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("id", "rehearsal");
            json.WriteString("object", "chat.completion");
            json.WriteNumber("created", 0);
            json.WriteString("model", request.GetProperty("model").GetString());
            json.WriteStartArray("choices");
            json.WriteStartObject();
            json.WriteNumber("index", 0);
            json.WriteStartObject("message");
            json.WriteString("role", "assistant");
            json.WriteString("content", text);
            json.WriteEndObject();
            json.WriteString("finish_reason", "stop");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", input);
            json.WriteNumber("completion_tokens", output);
            json.WriteNumber("total_tokens", input + output);
            json.WriteEndObject();
            json.WriteEndObject();
        });
        return new RehearsalReply(200, body, input, output);
    }

    /// <summary>Perspective's scores of one comment.</summary>
    public static RehearsalReply Perspective(JsonElement request, Fault fault)
    {
        if (fault == Fault.WrongLanguage)
        {
            return Error(400, "INVALID_ARGUMENT", "Attribute does not support request languages: de");
        }

        var toxicity = 1 - Quality(request.GetProperty("comment").GetProperty("text").GetString()!);
        var scores = new JsonObject();
        foreach (var attribute in request.GetProperty("requestedAttributes").EnumerateObject()
            .Where(_ => fault is not (Fault.Malformed or Fault.Contradictory)))
        {
            scores[attribute.Name] = new JsonObject
            {
                ["summaryScore"] = new JsonObject { ["value"] = toxicity, ["type"] = "PROBABILITY" }
            };
        }

        return new RehearsalReply(200, Bytes(new JsonObject
        {
            ["attributeScores"] = scores,
            ["languages"] = new JsonArray("en"),
            ["detectedLanguages"] = new JsonArray("en")
        }));
    }

    /// <summary>A reward for each sample; the same for all that have the same text.</summary>
    public static RehearsalReply Scores(JsonElement request, Fault fault) => new(200, Bytes(new JsonObject
    {
        ["scores"] = IsWrong(fault) ? Malformed : new JsonArray([.. request.GetProperty("samples")
            .EnumerateArray().Select(s => JsonValue.Create(Quality(s.GetProperty("text").GetString()!)))]),
    }));

    /// <summary>Bags of hashed words, of length 1: texts with the same words are near to each other.</summary>
    public static RehearsalReply Embeddings(JsonElement request, Fault fault)
    {
        var input = request.GetProperty("input");
        string[] texts = input.ValueKind == JsonValueKind.String
            ? [input.GetString()!]
            : [.. input.EnumerateArray().Select(t => t.GetString()!)];
        var tokens = texts.Sum(Tokens);
        return new RehearsalReply(200, Bytes(new JsonObject
        {
            ["object"] = "list",
            ["data"] = IsWrong(fault) ? Malformed : new JsonArray([.. texts.Select((text, i) => new JsonObject
            {
                ["object"] = "embedding",
                ["index"] = i,
                ["embedding"] = new JsonArray([.. Embedding(text).Select(v => JsonValue.Create(v))]),
            })]),
            ["usage"] = new JsonObject { ["prompt_tokens"] = tokens, ["total_tokens"] = tokens },
        }), tokens);
    }

    /// <summary>An error as OpenAI and Google write it, between them.</summary>
    public static RehearsalReply Error(int status, string code, string message) =>
        new(status, Bytes(
            new JsonObject { ["error"] = new JsonObject { ["message"] = message, ["type"] = code, ["code"] = code, ["status"] = code } }));

    /// <summary>What a judge says to the last message, in the form that the request asks for.</summary>
    /// <param name="contrary">The opposite of its opinion.</param>
    private static string Judge(JsonElement request, string[] messages, bool contrary)
    {
        var question = messages[^1];
        var quality = Quality(Judged(question)) is var opinion && contrary ? 1 - opinion : opinion;
        if (request.TryGetProperty("response_format", out var format) && format.TryGetProperty("json_schema", out var schema))
        {
            var fields = schema.GetProperty("schema").GetProperty("properties").EnumerateObject()
                .Select(p => KeyValuePair.Create(p.Name, p.Value.TryGetProperty("enum", out var choices)
                    ? JsonNode.Parse(Chosen(
                        [.. choices.EnumerateArray().Select(c => c.GetRawText())], ascending: choices[0].ValueKind == JsonValueKind.Number,
                        quality))
                    : JsonValue.Create(Sentence(quality))));
            return new JsonObject(fields).ToJsonString();
        }

        var lines = question.Split('\n');
        if (lines[^1] is { Length: > 1 } label && label.EndsWith(':'))
        {
            // Examples say what may stand behind the label. Where the first message lists them, that is their order.
            var names = lines.Where(l => l.StartsWith(label, StringComparison.Ordinal) && l.Length > label.Length)
                .Select(l => l[label.Length..].Trim()).Distinct()
                .OrderBy(n => messages[0].IndexOf($"{n}:", StringComparison.Ordinal) is >= 0 and var at ? at : int.MaxValue).ToArray();
            return names.Length == 0 ? Malformed : Chosen(names, ascending: false, quality);
        }

        return $"Analysis: {Sentence(quality)}\nFeedback: {Sentence(quality)}\nScore: "
            + $"{Chosen(["0", "1", "2", "3"], ascending: true, quality)}";
    }

    private static string Chosen(string[] choices, bool ascending, double quality)
    {
        var rank = (int)(quality * choices.Length);
        return choices[Math.Clamp(ascending ? rank : choices.Length - 1 - rank, 0, choices.Length - 1)];
    }

    private static string Sentence(double quality) =>
        quality < .25 ? "Unclear, and misses the point."
            : quality < .5 ? "Clear, but leaves much out."
            : quality < .75 ? "Good, with small gaps."
            : "Clear, right and complete.";

    private static string Judged(string question)
    {
        // Of a few examples and a question, the last answer.
        var start = Math.Max(
            question.LastIndexOf("Assistant:", StringComparison.Ordinal), question.LastIndexOf("Summary:", StringComparison.Ordinal));
        return start < 0 ? question : question[start..];
    }

    /// <returns>In [0, 1), the best near 1.</returns>
    private static double Quality(string text) =>
        Unfriendly.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase)) ? 0 : Faults.Uniform(Encoding.UTF8.GetBytes(text));

    private static double[] Embedding(string text)
    {
        var vector = new double[EmbeddingSize];
        foreach (var word in text.ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            vector[(int)(Faults.Uniform(Encoding.UTF8.GetBytes(word)) * EmbeddingSize)]++;
        }

        var length = Math.Sqrt(vector.Sum(v => v * v));
        return length == 0 ? vector : [.. vector.Select(v => v / length)];
    }

    private static bool IsWrong(Fault fault) => fault is Fault.Malformed or Fault.WrongLanguage or Fault.Contradictory;

    private static int Tokens(string text) => (Encoding.UTF8.GetByteCount(text) / BytesPerToken) + 1;

    private static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json);

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            write(json);
        }

        return stream.ToArray();
    }
}
