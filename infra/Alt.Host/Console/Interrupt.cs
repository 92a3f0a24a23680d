using System.Runtime.InteropServices;

namespace Alt.Host;

/// <summary>Turns Ctrl-C and a request to terminate into a cancellation; a second one ends the process at once.</summary>
internal sealed class Interrupt : IDisposable
{
    private readonly CancellationTokenSource _cancelled = new();
    private readonly PosixSignalRegistration[] _registrations;

    public Interrupt() =>
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, c => On(c, 130)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, c => On(c, 143)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, c => On(c, 129)),
        ];

    public CancellationToken Token => _cancelled.Token;

    /// <summary>128 and the signal's number, as shells count.</summary>
    public int ExitCode { get; private set; } = 130;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _cancelled.Dispose();
    }

    private void On(PosixSignalContext context, int exitCode)
    {
        if (_cancelled.IsCancellationRequested)
        {
            return;
        }

        context.Cancel = true;
        ExitCode = exitCode;
        _cancelled.Cancel();
    }
}
