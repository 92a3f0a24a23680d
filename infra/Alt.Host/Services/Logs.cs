using Alt.Domain;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Compact;
using Serilog.Formatting.Display;

namespace Alt.Host;

/// <summary>
/// Each process's log: a file under the home, and with --verbose standard error too; never standard output, which is for results.
/// Messages carry ids and counts, never texts of the data. The settings are variables, so that they reach the child processes.
/// </summary>
internal static partial class Logs
{
    public const string LevelVariable = "ALT_LOG", FormatVariable = "ALT_LOG_FORMAT";

    /// <summary>
    /// Where a process shows its log besides the file: <see cref="ToUser"/>, or <see cref="ToParent"/> in a process whose standard output
    /// is a pipe to the one that started it. Not set without --verbose.
    /// </summary>
    public const string ShownVariable = "ALT_LOG_SHOWN", ToUser = "user", ToParent = "parent";

    private const long FileSize = 10_000_000;
    private const string Text = "{Timestamp:yyyy-MM-dd HH:mm:ss.fff zzz} [{Level:u3}] {Message:lj} {Work}{NewLine}{Exception}";

    private static readonly Dictionary<string, LogEventLevel> Levels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["debug"] = LogEventLevel.Debug,
        ["information"] = LogEventLevel.Information,
        ["warning"] = LogEventLevel.Warning,
        ["error"] = LogEventLevel.Error,
    };

    /// <summary>Whether the user wants to see the log.</summary>
    public static bool AreShown => Environment.GetEnvironmentVariable(ShownVariable) is { Length: > 0 };

    /// <summary>Applies the flags.</summary>
    public static void Set(bool verbose, bool json)
    {
        if (verbose)
        {
            Environment.SetEnvironmentVariable(ShownVariable, ToUser);
        }

        if (json)
        {
            Environment.SetEnvironmentVariable(FormatVariable, "json");
        }
    }

    /// <exception cref="InputException">A variable has an invalid value.</exception>
    public static ILoggerFactory Open(AltHome home, string name)
    {
        var (level, format) = (Level(), Format());
        var settings = new LoggerConfiguration()
            .MinimumLevel.Is(level)
            // The libraries log a message for each request.
            .MinimumLevel.Override("Microsoft", level > LogEventLevel.Warning ? level : LogEventLevel.Warning)
            .Enrich.FromLogContext()
            .WriteTo.File(
                format, home.Log(name), fileSizeLimitBytes: FileSize, rollOnFileSizeLimit: true, retainedFileCountLimit: 3, shared: true);
        if (AreShown)
        {
            // From this level on to standard error.
            LogEventLevel? errors = Environment.GetEnvironmentVariable(ShownVariable) == ToParent ? null : LevelAlias.Minimum;
            settings.WriteTo.Console(format, standardErrorFromLevel: errors);
        }

        return new SerilogLoggerFactory(settings.CreateLogger(), dispose: true);
    }

    /// <summary>Logs a failure in full; the user sees one line of it.</summary>
    public static void Keep(Exception failure, string command)
    {
        if (Environment.GetEnvironmentVariable(AltHome.Variable) is { Length: > 0 } home && Directory.Exists(home))
        {
            using var logs = Open(new AltHome(home), "command");
            CommandFailed(logs.CreateLogger(nameof(CommandLine)), failure, command);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Command} failed")]
    private static partial void CommandFailed(Microsoft.Extensions.Logging.ILogger log, Exception failure, string command);

    private static LogEventLevel Level() =>
        Environment.GetEnvironmentVariable(LevelVariable) is not { Length: > 0 } word ? LogEventLevel.Information
        : Levels.TryGetValue(word, out var level) ? level
        : throw new InputException($"{LevelVariable}={InputException.Quote(word)}: expected {string.Join(", ", Levels.Keys)}");

    private static ITextFormatter Format() => Environment.GetEnvironmentVariable(FormatVariable) switch
    {
        null or "" or "text" => new MessageTemplateTextFormatter(Text),
        "json" => new RenderedCompactJsonFormatter(),
        var word => throw new InputException($"{FormatVariable}={InputException.Quote(word)}: expected text or json"),
    };
}
