namespace Alt.Tests.Conformance;

/// <summary>One way to set the official worker and the server up.</summary>
/// <param name="Server">Arguments of <c>alt server</c>.</param>
/// <param name="Worker">Worker options of the TypeScript SDK, as JSON.</param>
public sealed record Configuration(string Name, string[] Server, string Worker)
{
    public static IReadOnlyList<Configuration> All { get; } =
    [
        new("sticky on", [], "{}"),
        new("sticky off", [], """{ "maxCachedWorkflows": 0 }"""),
        new("cache of 1", [], """{ "maxCachedWorkflows": 1 }"""),
        new("small pages", ["--history-page", "5"], "{}"),
        new("gzip rejected", ["--no-gzip"], "{}"),
    ];
}
