using Alt.Domain;
using Alt.Host.Progress;
using Alt.Host.Supervisor;
using Alt.Workflows;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Host.Commands;

/// <summary>Starts a run's workflow, or joins it, and shows its progress until it ends; waits out every part that is being started again.</summary>
internal sealed class RunFollower(AltHome home, Stack stack, Record record, string run, ProgressDisplay display, ILoggerFactory logs)
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly IterationNotes results = new(record, run, display);

    /// <returns>Why the run failed; null where it ended well.</returns>
    /// <exception cref="HostException">A part of the stack cannot be kept alive.</exception>
    public async Task<string?> RunAsync(RunConfig config, CancellationToken token)
    {
        var client = await Temporal.ConnectAsync(home, logs, stack.Running, token);
        using var attendance = await PatientlyAsync(() => Attendance.JoinAsync(home, client, run, token), token);
        await PatientlyAsync(() => StartAsync(client, config), token);
        var reader = new ProgressReader(client, run);
        while (!await PatientlyAsync(() => ShowAsync(reader, token), token))
        {
            await PauseAsync(token);
        }

        return await PatientlyAsync(() => FailureAsync(client, token), token);
    }

    private async Task<bool> StartAsync(TemporalClient client, RunConfig config)
    {
        var workflow = AltRunWorkflow.IdOf(run);
        try
        {
            await client.StartWorkflowAsync((AltRunWorkflow w) => w.RunAsync(config), new(workflow, TaskQueues.Main));
            return true;
        }
        catch (WorkflowAlreadyStartedException)
        {
            logs.CreateLogger<RunFollower>().LogInformation("Run {Run} is under way already; it is followed", run);
            return false;
        }
    }

    /// <returns>Whether the run has ended.</returns>
    private async Task<bool> ShowAsync(ProgressReader reader, CancellationToken token)
    {
        var snapshot = await reader.ReadAsync(token);
        display.Show(snapshot);
        await results.ShowNewAsync(token);
        return snapshot.Closed;
    }

    private async Task<string?> FailureAsync(TemporalClient client, CancellationToken token)
    {
        try
        {
            await client.GetWorkflowHandle(AltRunWorkflow.IdOf(run)).GetResultAsync(rpcOptions: new() { CancellationToken = token });
            return null;
        }
        catch (WorkflowFailedException e)
        {
            return Messages.OneLine(AltRunWorkflow.Reason(e));
        }
    }

    /// <summary>Asks again where a part was killed meanwhile; the supervisor ends the wait if that cannot be started again.</summary>
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> work, CancellationToken token)
    {
        while (true)
        {
            try
            {
                return await work();
            }
            catch (Exception e) when (Passing.Is(e))
            {
                logs.CreateLogger<RunFollower>().LogInformation("Waiting for a part that is being started again: {Reason}", Messages.Explain(e));
                await PauseAsync(token);
            }
        }
    }

    private async Task PauseAsync(CancellationToken token)
    {
        if (await Task.WhenAny(stack.Running, Task.Delay(Tick, token)) == stack.Running)
        {
            await stack.Running;
        }

        token.ThrowIfCancellationRequested();
    }
}
