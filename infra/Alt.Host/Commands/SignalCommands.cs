using System.CommandLine;
using System.Linq.Expressions;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Workflows;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Host.Commands;

/// <summary><c>alt pause</c>, <c>alt resume</c> and <c>alt stop</c>: what a person tells a run that is under way.</summary>
internal static class SignalCommands
{
    public static Command Pause() => Create("pause", "Let a run finish the work under way and then wait.", w => w.PauseAsync(), "waits after the work under way; ./alt resume {0}");

    public static Command Resume() => Create("resume", "Let a paused run go on.", w => w.ResumeAsync(), "goes on");

    public static Command Stop() => Create("stop", "End a run after the iteration under way; what is recorded stays.", w => w.StopAsync(), "ends after the iteration under way");

    private static Command Create(string name, string description, Expression<Func<AltRunWorkflow, Task>> signal, string done)
    {
        var run = Options.Run();
        var command = new Command(name, description) { run };
        command.SetAction(async (parsed, token) =>
        {
            var id = RunId.Check(parsed.GetValue(run)!);
            await SendAsync(id, signal, token);
            Console.WriteLine($"run {id} {string.Format(System.Globalization.CultureInfo.InvariantCulture, done, id)}");
            return 0;
        });
        return command.WithExamples($"./alt {name} quickstart-1121-1002");
    }

    private static async Task SendAsync(string id, Expression<Func<AltRunWorkflow, Task>> signal, CancellationToken token)
    {
        var home = AltHome.Find();
        if (!Stack.IsOwned(home))
        {
            throw new InputException($"run '{id}' is not under way; ./alt run --run-id {id} goes on with it");
        }

        using var logs = Logs.Open(home, "signal");
        var client = await Temporal.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), token);
        try
        {
            await client.GetWorkflowHandle<AltRunWorkflow>(AltRunWorkflow.IdOf(id)).SignalAsync(signal);
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            throw new InputException($"run '{id}' is not under way; ./alt status lists the runs", e);
        }
    }
}
