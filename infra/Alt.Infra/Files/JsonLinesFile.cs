using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra;

/// <summary>
/// JSON lines that users supply. Blank lines count for line numbers only; an error names its line and never repeats its text.
/// </summary>
public static class JsonLinesFile
{
    /// <summary>Reads one value for each line.</summary>
    /// <param name="expected">What the file should hold, for the errors: <c>JSON lines with …</c></param>
    /// <param name="malformed">What is wrong with a line that is not JSON of the expected shape, and what was expected.</param>
    /// <param name="parse">Makes the value of a line and its place, <c>path:number</c>.</param>
    /// <exception cref="InputException">The file is missing, cannot be read, holds no line, or has a malformed one.</exception>
    public static IReadOnlyList<T> Read<TLine, T>(string path, string expected, string malformed, Func<TLine, string, T> parse)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"{path}: no such file; expected {expected}");
        }

        var values = new List<T>();
        var number = 0;
        try
        {
            foreach (var line in File.ReadLines(path))
            {
                number++;
                if (!string.IsNullOrWhiteSpace(line))
                {
                    values.Add(parse(
                        JsonSerializer.Deserialize<TLine>(line, AltJson.Options) ?? throw new JsonException("it is null"),
                        $"{path}:{number}"));
                }
            }
        }
        catch (JsonException e)
        {
            throw new InputException($"{path}:{number}: {malformed}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"{path}: cannot be read: {e.Message}", e);
        }

        return values.Count > 0 ? values : throw new InputException($"{path}: holds no line; expected {expected}");
    }
}
