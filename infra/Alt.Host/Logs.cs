using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace Alt.Host;

/// <summary>Each process's log file under the home. Messages carry ids and counts, never texts of the data.</summary>
internal static class Logs
{
    private const long FileSize = 10_000_000;

    public static ILoggerFactory Open(AltHome home, string name)
    {
        var log = new LoggerConfiguration()
            .MinimumLevel.Information()
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .WriteTo.File(home.Log(name), fileSizeLimitBytes: FileSize, rollOnFileSizeLimit: true, retainedFileCountLimit: 3, shared: true, formatProvider: null)
            .CreateLogger();
        return new SerilogLoggerFactory(log, dispose: true);
    }
}
