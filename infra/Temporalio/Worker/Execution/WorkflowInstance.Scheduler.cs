using System.Runtime.ExceptionServices;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>The scheduler: tasks in the order in which they became ready, then conditions in the order in which they were set up.</content>
internal sealed partial class WorkflowInstance
{
    private readonly LinkedList<Task> ready = new();
    private readonly LinkedList<(Func<bool> Check, TaskCompletionSource Met)> conditions = new();

    public override int MaximumConcurrencyLevel => 1;

    public async Task<bool> WaitConditionAsync(WaitConditionOptions options)
    {
        var token = options.CancellationToken ?? CancellationToken;
        var met = new TaskCompletionSource();
        var node = conditions.AddLast((options.ConditionCheck, met));
        using var onCancel = token.Register(() => met.TrySetCanceled(token));
        try
        {
            if (options.Timeout is not { } timeout)
            {
                await met.Task;
                return true;
            }
            using var stopTimer = new CancellationTokenSource();
            var first = await Task.WhenAny(met.Task, DelayAsync(new(timeout, options.TimeoutSummary, stopTimer.Token)));
            if (first != met.Task)
            {
                return false;
            }
#pragma warning disable CA1849 // CancelAsync would leave the workflow's scheduler.
            stopTimer.Cancel();
#pragma warning restore CA1849
            await met.Task;
            return true;
        }
        finally
        {
            conditions.Remove(node);
        }
    }

    protected override IEnumerable<Task> GetScheduledTasks() => ready;

    protected override void QueueTask(Task task) => ready.AddLast(task);

    protected override bool TryDequeue(Task task) => ready.Remove(task);

    // Running inline would change the order.
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued)
    {
        if (!taskWasPreviouslyQueued)
        {
            QueueTask(task);
        }
        return false;
    }

    /// <summary>Runs until nothing is ready and no condition is met.</summary>
    private void RunUntilBlocked()
    {
        do
        {
            while (ready.First is { } next)
            {
                ready.Remove(next);
                TryExecuteTask(next.Value);
                if (taskFailure is not null)
                {
                    ExceptionDispatchInfo.Throw(taskFailure);
                }
            }
        }
        while (MeetOneCondition());
    }

    // One at a time: the code that it wakes may make the others untrue.
    private bool MeetOneCondition()
    {
        Workflow.OverrideContext.Value = this;
        try
        {
            foreach (var (check, met) in conditions)
            {
                if (!met.Task.IsCompleted && check())
                {
                    met.TrySetResult();
                    return true;
                }
            }
            return false;
        }
        finally
        {
            Workflow.OverrideContext.Value = null;
        }
    }

    private Task RunAsTask(Func<Task> code) =>
        Task.Factory.StartNew(code, CancellationToken.None, TaskCreationOptions.None, this).Unwrap();
}
