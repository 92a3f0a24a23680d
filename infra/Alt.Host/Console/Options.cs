using System.CommandLine;

namespace Alt.Host;

/// <summary>Options that several commands share.</summary>
internal static class Options
{
    /// <summary>On every command.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose")
    {
        Description = $"Show the log on standard error too. {Logs.LevelVariable}=debug says more, {Logs.LevelVariable}=warning less.",
        Recursive = true,
    };

    /// <inheritdoc cref="Verbose"/>
    public static Option<bool> LogJson { get; } = new("--log-json")
    {
        Description = $"Write the log as one JSON object a line, as {Logs.FormatVariable}=json does.",
        Recursive = true,
    };

    public static Option<bool> Json() =>
        new("--json") { Description = "Print the result as one JSON document on standard output, and nothing else there." };

    public static Option<bool> Csv() => new("--csv") { Description = "Print the result as comma-separated values with a line of names." };

    public static Option<string[]> Set() => new("--set")
    {
        Description = "Change one key of the config; may be given several times.",
        HelpName = "a.b=c",
        DefaultValueFactory = _ => [],
    };

    public static Argument<string> Run() => new("RUN") { Description = "The run's id." };

    /// <summary>Without this an unknown option would be taken for the argument's value.</summary>
    public static void RefuseUnknownOptions(this Argument<string?> argument) => argument.Validators.Add(result =>
    {
        if (result.Tokens is [var token, ..] && token.Value.StartsWith('-'))
        {
            result.AddError($"unknown option '{token.Value}'");
        }
    });
}
