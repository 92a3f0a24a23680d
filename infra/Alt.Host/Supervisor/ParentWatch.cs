using System.Runtime.InteropServices;

namespace Alt.Host.Supervisor;

/// <summary>
/// Ends a child process together with its parent. The parent holds the other end of standard input, so its end, whatever the reason,
/// is an end-of-file here. Ctrl-C reaches the whole foreground group of a terminal and is the parent's to handle.
/// </summary>
internal sealed class ParentWatch : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly PosixSignalRegistration[] _ignored;
    private readonly PosixSignalRegistration _terminated;

    private ParentWatch()
    {
        _ignored = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGHUP }.Select(s =>
            PosixSignalRegistration.Create(s, c => c.Cancel = true))];
        _terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, c =>
        {
            c.Cancel = true;
            _gone.Cancel();
        });
    }

    /// <summary>Cancelled when the parent has ended or this process is asked to end.</summary>
    public CancellationToken Gone => _gone.Token;

    public static ParentWatch Start()
    {
        var watch = new ParentWatch();
        // A thread of its own: the read blocks for as long as the parent lives.
        new Thread(watch.ReadToEnd) { IsBackground = true, Name = "parent-watch" }.Start();
        return watch;
    }

    public void Dispose()
    {
        foreach (var registration in _ignored)
        {
            registration.Dispose();
        }

        _terminated.Dispose();
    }

    private void ReadToEnd()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> buffer = stackalloc byte[256];
        while (input.Read(buffer) > 0)
        {
            // Nothing is ever written to this pipe; only its end matters.
        }

        _gone.Cancel();
    }
}
