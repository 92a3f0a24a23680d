using System.Diagnostics;
using Temporalio.Worker.Execution;

namespace Temporalio.Worker;

/// <summary>
/// The local activities of one workflow run. They may outlast a workflow task: short of its timeout the task is answered as it stands, and the
/// server is asked for another one.
/// </summary>
internal sealed class LocalActivityRuns(LocalActivityRunner runner)
{
    private readonly Dictionary<int, Task<LocalActivityOutcome>> running = [];
    private readonly CancellationTokenSource abandon = new();

    /// <summary>Ends them all; their outcomes are dropped.</summary>
    public void Abandon() => _ = abandon.CancelAsync();

    /// <summary>Runs local activities, and the workflow with their outcomes, until it waits for none or the task's time is nearly up.</summary>
    /// <param name="instance">The workflow.</param>
    /// <param name="sinceTaskStart">Time since the task came.</param>
    /// <param name="runCode">Runs workflow code under the deadlock watch.</param>
    /// <returns>Whether the workflow still waits.</returns>
    public async Task<bool> RunAsync(WorkflowInstance instance, Stopwatch sinceTaskStart, Func<Action, Task> runCode)
    {
        while (instance is { HasLocalActivities: true, IsComplete: false })
        {
            foreach (var task in instance.TakeLocalActivities())
            {
                running[task.Sequence] = Task.Run(() => runner.RunAsync(task, abandon.Token));
            }
            var left = (instance.Info.TaskTimeout * 0.8) - sinceTaskStart.Elapsed;
            var first = left <= TimeSpan.Zero ? null : await FirstAsync(left);
            if (first is null)
            {
                return true;
            }
            var outcome = await first;
            running.Remove(outcome.Sequence);
            await runCode(() => instance.ResolveLocalActivity(outcome));
        }
        if (instance.IsComplete)
        {
            Abandon();
        }
        return false;
    }

    private async Task<Task<LocalActivityOutcome>?> FirstAsync(TimeSpan limit)
    {
        var first = Task.WhenAny(running.Values);
        using var stop = new CancellationTokenSource();
        var ended = await Task.WhenAny(first, Task.Delay(limit, stop.Token));
        await stop.CancelAsync();
        return ended == first ? await first : null;
    }
}
