using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Alt.Tests;

/// <summary>What a program left behind.</summary>
internal sealed record ProgramEnd(int ExitCode, string Output, string Errors)
{
    /// <summary>The single line that a failure must print.</summary>
    public string OnlyLine => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>One call of the program while it runs.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private readonly Task<string> _output;
    private readonly Task _ended;

    public RunningProgram(Process process)
    {
        _process = process;
        process.StandardInput.Close();
        _output = process.StandardOutput.ReadToEndAsync();
        _ended = Task.WhenAll(ReadErrorsAsync(), _output, process.WaitForExitAsync());
    }

    public bool HasEnded => _process.HasExited;

    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    public async Task<ProgramEnd> EndAsync()
    {
        await _ended.WaitAsync(Limit);
        return new ProgramEnd(_process.ExitCode, await _output, Errors);
    }

    /// <summary>Waits until the program has written this to standard error; fails at once if the program ends first.</summary>
    public async Task SaysAsync(string text)
    {
        await Wait.ForAsync(() => HasEnded || Errors.Contains(text, StringComparison.Ordinal), $"'{text}' on standard error");
        if (HasEnded)
        {
            await _ended;
        }

        Assert.Contains(text, Errors, StringComparison.Ordinal);
    }

    public void Kill() => _process.Kill();

    /// <summary>What Ctrl-C sends.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _ended;
        }

        _process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_errors)
            {
                _errors.AppendLine(line);
            }
        }
    }
}
