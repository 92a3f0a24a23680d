using System.Text.Json;
using Alt.Domain;

namespace Alt.Infra.Calls;

/// <summary>A key, read from where the config says, and shown only to the service that it is for.</summary>
public sealed class Secret
{
    private const string Environment = "env:", File = "file:", Redacted = "[redacted]";

    private readonly string _value;
    private readonly string[] _forms;

    private Secret(string source, string value)
    {
        (Source, _value) = (source, value);
        // As a service may repeat it: plain, in an address, in JSON.
        _forms = [.. new[] { value, Uri.EscapeDataString(value), JsonEncodedText.Encode(value).Value }.Distinct()
            .OrderByDescending(f => f.Length)];
    }

    /// <summary>Where it came from, as the config writes it.</summary>
    public string Source { get; }

    /// <param name="source"><c>env:NAME</c> or <c>file:PATH</c>; null reads none.</param>
    /// <exception cref="InputException">
    /// The key is missing, or the config holds something else, which may be the secret itself and is not repeated.
    /// </exception>
    public static Secret? Read(string? source)
    {
        if (source is null)
        {
            return null;
        }

        if (source.StartsWith(Environment, StringComparison.Ordinal))
        {
            var name = source[Environment.Length..];
            return Of(source, System.Environment.GetEnvironmentVariable(name), $"the environment variable {name} is not set");
        }

        if (source.StartsWith(File, StringComparison.Ordinal))
        {
            var path = source[File.Length..];
            return Of(source, ContentOf(path), $"the file {path} cannot be read or is empty");
        }

        throw new InputException("apiKey: expected env:NAME or file:PATH; a secret must not stand in a config, since configs are recorded");
    }

    /// <summary>The key itself, only for sending.</summary>
    public string Reveal() => _value;

    public string Redact(string text)
    {
        foreach (var form in _forms)
        {
            text = text.Replace(form, Redacted, StringComparison.Ordinal);
        }

        return text;
    }

    public override string ToString() => Source;

    private static Secret Of(string source, string? content, string otherwise) => content?.Trim() is { Length: > 0 } value
        ? new Secret(source, value)
        : throw new InputException($"apiKey {source}: {otherwise}; put the key there, or name another place with env:NAME or file:PATH");

    private static string? ContentOf(string path)
    {
        try
        {
            return System.IO.File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
