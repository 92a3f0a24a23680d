using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Alt.Tests.Infra.Host;

/// <summary>What a program left behind.</summary>
internal sealed record ProgramEnd(int ExitCode, string Output, string Errors)
{
    /// <summary>The one line that a failure is to be.</summary>
    public string OnlyLine => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>One call of the program while it runs.</summary>
internal sealed class RunningProgram : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    private readonly Process process;
    private readonly StringBuilder errors = new();
    private readonly Task<string> output;
    private readonly Task ended;

    public RunningProgram(Process process)
    {
        this.process = process;
        process.StandardInput.Close();
        output = process.StandardOutput.ReadToEndAsync();
        ended = Task.WhenAll(ReadErrorsAsync(), output, process.WaitForExitAsync());
    }

    public bool HasEnded => process.HasExited;

    public string Errors
    {
        get
        {
            lock (errors)
            {
                return errors.ToString();
            }
        }
    }

    public async Task<ProgramEnd> EndAsync()
    {
        await ended.WaitAsync(Limit);
        return new ProgramEnd(process.ExitCode, await output, Errors);
    }

    /// <summary>Waits until the program has said this on standard error; fails at once where it ends before.</summary>
    public async Task SaysAsync(string text)
    {
        await Wait.ForAsync(() => HasEnded || Errors.Contains(text, StringComparison.Ordinal), $"'{text}' on standard error");
        if (HasEnded)
        {
            await ended;
        }

        Assert.Contains(text, Errors, StringComparison.Ordinal);
    }

    public void Kill() => process.Kill();

    /// <summary>What Ctrl-C sends.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await ended;
        }

        process.Dispose();
    }

    private async Task ReadErrorsAsync()
    {
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            lock (errors)
            {
                errors.AppendLine(line);
            }
        }
    }
}
