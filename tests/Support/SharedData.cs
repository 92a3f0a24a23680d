using System.IO.Compression;
using System.Text.Json;

namespace Alt.Tests;

/// <summary>
/// Real inputs that the project does not ship: the folder in <c>ALT_SHARED_DATA</c>, or <c>shared/data</c> beside the checkout or further
/// up.
/// Its texts contain abuse, so no test prints them.
/// </summary>
public static class SharedData
{
    /// <summary>Null if this machine has no such folder.</summary>
    public static string? Folder { get; } = Find();

    public static string PathOf(params string[] parts) =>
        Path.Combine([Folder ?? throw new InvalidOperationException("There is no shared data here."), .. parts]);

    /// <summary>Every string in every JSON line, and every text file as one string.</summary>
    public static IEnumerable<string> Strings()
    {
        var files = Directory.EnumerateFiles(PathOf(), "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".jsonl" or ".gz" or ".txt").Order(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file.EndsWith(".txt", StringComparison.Ordinal))
            {
                yield return File.ReadAllText(file);
                continue;
            }

            using var stream = File.OpenRead(file);
            using var reader = new StreamReader(
                file.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
            while (reader.ReadLine() is { } line)
            {
                using var document = JsonDocument.Parse(line);
                foreach (var text in StringsIn(document.RootElement))
                {
                    yield return text;
                }
            }
        }
    }

    private static IEnumerable<string> StringsIn(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => [element.GetString()!],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(m => StringsIn(m.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(StringsIn),
        _ => [],
    };

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("ALT_SHARED_DATA") is { Length: > 0 } named)
        {
            return Directory.Exists(named) ? named : null;
        }

        for (var folder = new DirectoryInfo(Repository.Root).Parent; folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(candidate))
            {
                return candidate;
            }
        }

        return null;
    }
}
