using Microsoft.Extensions.Logging;

namespace Temporalio.Worker.Execution;

/// <summary>A logger that is silent while a workflow replays, so that each line is written once.</summary>
internal sealed class ReplaySafeLogger(ILogger logger, Func<bool> isReplaying) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => !isReplaying() && logger.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!isReplaying())
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
