using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Where two events that should be the same first differ. Numbers and hashes are shown, texts of the data never.</summary>
/// <param name="Field">Path inside the event, such as <c>poolHash</c>.</param>
/// <param name="Recorded">The recorded value, or the hash of the recorded artifact.</param>
/// <param name="Derived">The derived value, or the hash of the derived artifact.</param>
/// <param name="At">The first line in which two artifacts differ; null where the field is no list of lines.</param>
public sealed record EventDifference(string Field, string Recorded, string Derived, LineDifference? At)
{
    /// <summary>How long the work took, and the training curve, which holds how long each step took.</summary>
    private static readonly string[] Durations = ["seconds", "steps"];

    /// <returns>null if the events are equal.</returns>
    /// <exception cref="ArtifactException">An artifact that differs cannot be read.</exception>
    public static async Task<EventDifference?> FindAsync<T>(T recorded, T derived, ArtifactStore artifacts, CancellationToken token)
        where T : IterationEvent
    {
        var (one, other) = (ToJson(recorded), ToJson(derived));
        // What an artifact holds says more than a count or a hash that follows from it.
        foreach (var field in one.Select(p => p.Key).Union(other.Select(p => p.Key))
            .Except(Durations).OrderBy(f => one[f] is not JsonObject))
        {
            if (JsonNode.DeepEquals(one[field], other[field]))
            {
                continue;
            }

            return IsArtifact(one[field], out var before) && IsArtifact(other[field], out var after)
                ? new(
                    field, before.Hash, after.Hash,
                    before.MediaType == ArtifactStore.JsonLines ? await LineDifference.FindAsync(before, after, artifacts, token) : null)
                : new(field, Show(one[field]), Show(other[field]), null);
        }

        return null;
    }

    internal static string Show(JsonNode? value) => value?.ToJsonString(AltJson.Options) ?? "nothing";

    private static JsonObject ToJson<T>(T value) => JsonSerializer.SerializeToNode(value, AltJson.Options)!.AsObject();

    private static bool IsArtifact(JsonNode? node, out ArtifactRef artifact)
    {
        artifact = node is JsonObject o && o.ContainsKey("hash") && o.ContainsKey("mediaType")
            ? node.Deserialize<ArtifactRef>(AltJson.Options)!
            : null!;
        return artifact is not null;
    }
}

/// <summary>The first line in which two artifacts of JSON lines differ.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Id">What the recorded line speaks of: a sample as iteration/prompt/k, or a prompt's ordinal.</param>
/// <param name="Field">The member that differs, such as <c>quantile</c>.</param>
/// <param name="Recorded">Its recorded value where that is a number, a word of ours or nothing; otherwise its kind.</param>
/// <param name="Derived">Its derived value, in the same way.</param>
public sealed record LineDifference(int Line, string? Id, string Field, string Recorded, string Derived)
{
    /// <summary>Members that hold texts of the data.</summary>
    private static readonly string[] Texts = ["text", "raw", "reason"];

    public static async Task<LineDifference> FindAsync(
        ArtifactRef recorded, ArtifactRef derived, ArtifactStore artifacts, CancellationToken token)
    {
        await using var one = artifacts.ReadJsonLinesAsync<JsonObject>(recorded, token).GetAsyncEnumerator(token);
        await using var other = artifacts.ReadJsonLinesAsync<JsonObject>(derived, token).GetAsyncEnumerator(token);
        for (var line = 1; ; line++)
        {
            var (a, b) = (await one.MoveNextAsync() ? one.Current : null, await other.MoveNextAsync() ? other.Current : null);
            if (a is null || b is null)
            {
                return new(line, IdOf(a ?? b), "", a is null ? "nothing" : "a line", b is null ? "nothing" : "a line");
            }

            if (!JsonNode.DeepEquals(a, b))
            {
                var (field, before, after) = First(a, b, "");
                return new(line, IdOf(a), field, Value(field, before), Value(field, after));
            }
        }
    }

    private static (string Field, JsonNode? Recorded, JsonNode? Derived) First(JsonNode? one, JsonNode? other, string path)
    {
        switch (one, other)
        {
            case (JsonObject a, JsonObject b):
                var key = a.Select(p => p.Key).Union(b.Select(p => p.Key)).First(k => !JsonNode.DeepEquals(a[k], b[k]));
                return First(a[key], b[key], path.Length == 0 ? key : $"{path}.{key}");
            case (JsonArray a, JsonArray b) when Enumerable.Range(0, Math.Min(a.Count, b.Count))
                .Where(i => !JsonNode.DeepEquals(a[i], b[i])).ToArray() is [var first, ..]:
                return First(a[first], b[first], $"{path}[{first}]");
            case (JsonArray a, JsonArray b):
                return ($"{path}.length", a.Count, b.Count);
            default:
                return (path, one, other);
        }
    }

    private static string Value(string field, JsonNode? value) =>
        Texts.Contains(field.Split('.')[^1]) ? "another text" : EventDifference.Show(value);

    private static string? IdOf(JsonNode? line) => line switch
    {
        JsonObject o when o["id"] is JsonObject id => $"{id["iteration"]}/{id["prompt"]}/{id["k"]}",
        JsonObject o when o["sample"] is { } sample => IdOf(sample),
        JsonObject o => o["ordinal"]?.ToString(),
        _ => null,
    };
}
