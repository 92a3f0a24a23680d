using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Alt.Host.Supervisor;

/// <summary>Keeps one process of this executable alive: starts it, starts it again whenever it dies, and ends it with its owner.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    /// <summary>The line on standard output by which a child says that it is ready for work.</summary>
    public const string Ready = "ready";

    /// <summary>The flag of a command that is a child: it ends with its parent and says when it is ready.</summary>
    public const string Supervised = "--supervised";

    private const int FailedStarts = 5;

    /// <summary>Exit code after kill -9.</summary>
    private const int Killed = 128 + 9;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(8);

    private readonly string _name;
    private readonly string[] _arguments;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _running;

    public ChildProcess(string name, string[] arguments, ILogger log)
    {
        (_name, _arguments, _log) = (name, arguments, log);
        _running = Task.Run(KeepAliveAsync);
    }

    /// <summary>Ends when the child has become ready for the first time; fails when it cannot be kept alive.</summary>
    public Task FirstReady => _ready.Task;

    /// <summary>Ends with the child's supervision; fails with <see cref="HostException"/> when it cannot be kept alive.</summary>
    public Task Running => _running;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await ((Task)_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task KeepAliveAsync()
    {
        var failures = 0;
        while (!_ending.IsCancellationRequested)
        {
            var (cameUp, lastWords) = await RunOnceAsync();
            if (_ending.IsCancellationRequested)
            {
                break;
            }

            failures = cameUp ? 0 : failures + 1;
            _log.LogWarning("The {Name} process ended: {LastWords}", _name, lastWords);
            if (failures == FailedStarts)
            {
                var failure = new HostException($"the {_name} process does not start: {lastWords} (see .alt/logs/run.log)");
                _ready.TrySetException(failure);
                throw failure;
            }

            await Task.Delay(FirstPause * (1 << failures), _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _ready.TrySetCanceled();
    }

    private async Task<(bool CameUp, string LastWords)> RunOnceAsync()
    {
        var start = new ProcessStartInfo(Executable.Dotnet, [Executable.Assembly, .. _arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Logs.AreShown)
        {
            // Its standard error is for its last error message.
            start.Environment[Logs.ShownVariable] = Logs.ToParent;
        }

        using var process = Process.Start(start)!;
        _log.LogInformation("Started the {Name} process {Id}", _name, process.Id);

        var wasReady = false;
        var lastWords = "no message";
        var output = EachLineAsync(process.StandardOutput, line =>
        {
            wasReady |= line == Ready;
            if (wasReady)
            {
                _ready.TrySetResult();
            }

            if (Logs.AreShown && line != Ready)
            {
                Console.Error.WriteLine(line);
            }
        });
        var errors = EachLineAsync(process.StandardError, line =>
        {
            _log.LogWarning("{Name}: {Line}", _name, line);
            lastWords = line;
        });

        var ended = process.WaitForExitAsync(CancellationToken.None);
        if (await Task.WhenAny(ended, Task.Delay(Timeout.Infinite, _ending.Token)) != ended)
        {
            // Its end of file is the request to end.
            process.StandardInput.Close();
            if (await Task.WhenAny(ended, Task.Delay(Grace, CancellationToken.None)) != ended)
            {
                _log.LogWarning("The {Name} process did not end within {Seconds} s and is killed", _name, Grace.TotalSeconds);
                process.Kill(entireProcessTree: true);
            }
        }

        await Task.WhenAll(ended, output, errors);
        // A process that was killed before it was ready has not shown that it cannot start.
        return process.ExitCode == Killed ? (true, "killed") : (wasReady, lastWords);
    }

    private static async Task EachLineAsync(StreamReader reader, Action<string> use)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            use(line);
        }
    }
}
