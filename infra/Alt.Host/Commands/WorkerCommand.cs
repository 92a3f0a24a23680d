using System.CommandLine;
using Alt.Host.Supervisor;
using Alt.Infra;

namespace Alt.Host.Commands;

/// <summary><c>alt worker</c>: the process that does the work of all runs of this home. <c>alt run</c> starts it and keeps it alive.</summary>
internal static class WorkerCommand
{
    /// <summary>Held for as long as a worker lives: what <c>alt status</c> goes by.</summary>
    public const string LockName = "worker";

    public static Command Create()
    {
        var command = new Command("worker", "Do the work of all runs until standard input ends (alt run starts one by itself).");
        var temporal = new TemporalFlags(command);
        command.SetAction((parsed, _) => RunAsync(temporal.Read(parsed)));
        return command.WithExamples("./alt worker --temporal temporal.example.org:7233");
    }

    private static async Task<int> RunAsync(string? temporal)
    {
        using var parent = ParentWatch.Start();
        var token = parent.Gone;
        var home = AltHome.Find();
        using var logs = Logs.Open(home, "worker");
        try
        {
            // One worker per home: a predecessor that is still ending is waited for.
            using var only = await FileLock.TakeAsync(home.Lock(LockName), exclusive: true, token);
            if (temporal is not null)
            {
                new TemporalEndpoint(temporal, Outside: true).Write(home);
            }

            await using var record = await Record.OpenAsync(home, token);
            var client = await Temporal.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), token);
            await Worker.RunAsync(client, record.Ledger, home, logs, () => Console.WriteLine(ChildProcess.Ready), token);
        }
        catch (OperationCanceledException) when (token.IsCancellationRequested)
        {
            // The parent is gone; so is the work.
        }

        return 0;
    }
}
