using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Alt.Tests.Activities;

/// <summary>Keeps what is logged, with the properties of the scopes around it.</summary>
internal sealed class MemoryLog : ILoggerFactory, ILoggerProvider, ILogger
{
    private readonly AsyncLocal<IReadOnlyDictionary<string, object?>> _scope = new();
    private readonly ConcurrentQueue<Entry> _entries = [];

    public IReadOnlyList<Entry> Entries => [.. _entries];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider judge) => throw new NotSupportedException();

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public IDisposable BeginScope<TState>(TState state)
        where TState : notnull
    {
        var before = _scope.Value;
        _scope.Value = With(before, state);
        return new Ending(() => _scope.Value = before!);
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            _entries.Enqueue(new(logLevel, formatter(state, exception), With(_scope.Value, state), exception));
        }
    }

    public void Dispose()
    {
    }

    private static Dictionary<string, object?> With(IReadOnlyDictionary<string, object?>? before, object? state)
    {
        var properties = new Dictionary<string, object?>(before ?? new Dictionary<string, object?>());
        foreach (var (name, value) in state switch
        {
            IEnumerable<KeyValuePair<string, object?>> pairs => pairs,
            _ => [],
        })
        {
            properties[name] = value;
        }

        return properties;
    }

    public sealed record Entry(LogLevel Level, string Message, IReadOnlyDictionary<string, object?> Properties, Exception? Exception);

    private sealed class Ending(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
