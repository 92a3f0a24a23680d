using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Exceptions;

namespace Temporalio.Worker.Execution;

/// <summary>
/// The commands of a workflow's code against the events of its history: every command must turn up as an event, in order, and every
/// such event must come from a command. Anything else means that the code is not the one that made the history.
/// </summary>
internal sealed class CommandLedger
{
    private readonly List<PendingCommand> issued = [];
    private readonly Queue<PendingCommand> sent = new();
    private bool frozen;

    /// <summary>Issues a command.</summary>
    /// <exception cref="InvalidWorkflowOperationException">The code that runs must not: a query or a validator.</exception>
    public PendingCommand Add(PendingCommand command)
    {
        if (frozen)
        {
            throw new InvalidWorkflowOperationException("Queries and update validators must not issue commands such as activities or timers", null, null);
        }
        issued.Add(command);
        return command;
    }

    /// <summary>Takes a command back that has not been sent.</summary>
    /// <returns>Whether it could be taken back.</returns>
    public bool Withdraw(PendingCommand command) => issued.Remove(command);

    /// <summary>Ends the current workflow task: the commands to send, which from now on await their events.</summary>
    public IReadOnlyList<Command> Send()
    {
        var commands = issued.Select(pending => pending.Command).ToArray();
        foreach (var pending in issued)
        {
            sent.Enqueue(pending);
        }
        issued.Clear();
        return commands;
    }

    /// <summary>Runs code that must not issue commands.</summary>
    public T Frozen<T>(Func<T> code)
    {
        frozen = true;
        try
        {
            return code();
        }
        finally
        {
            frozen = false;
        }
    }

    /// <summary>Whether events of this kind come from commands.</summary>
    public static bool IsCommandEvent(EventType type) => type is EventType.ActivityTaskScheduled or EventType.ActivityTaskCancelRequested
        or EventType.TimerStarted or EventType.TimerCanceled or EventType.StartChildWorkflowExecutionInitiated
        or EventType.RequestCancelExternalWorkflowExecutionInitiated or EventType.SignalExternalWorkflowExecutionInitiated
        or EventType.MarkerRecorded or EventType.UpsertWorkflowSearchAttributes or EventType.WorkflowPropertiesModified
        or EventType.WorkflowExecutionUpdateAccepted or EventType.WorkflowExecutionUpdateCompleted
        or EventType.WorkflowExecutionCompleted or EventType.WorkflowExecutionFailed or EventType.WorkflowExecutionCanceled
        or EventType.WorkflowExecutionContinuedAsNew;

    /// <summary>Matches an event with the next command.</summary>
    /// <exception cref="WorkflowNondeterminismException">They differ.</exception>
    public void Match(HistoryEvent evt)
    {
        while (sent.TryPeek(out var next))
        {
            var difference = evt.EventType == next.EventType ? next.Difference(evt) : "";
            if (difference is null)
            {
                sent.Dequeue().Recorded(evt);
                return;
            }
            if (!next.Optional)
            {
                if (PatchMarker.IsIgnorable(evt))
                {
                    return;
                }
                throw Nondeterminism(
                    $"history event {evt.EventId} is {evt.EventType}, workflow code issued {next}" + (difference.Length > 0 ? $": {difference}" : ""));
            }
            sent.Dequeue();
        }
        if (!PatchMarker.IsIgnorable(evt))
        {
            throw Nondeterminism($"history event {evt.EventId} is {evt.EventType}, which workflow code did not ask for");
        }
    }

    /// <summary>To be called when all events of a workflow task are matched.</summary>
    /// <exception cref="WorkflowNondeterminismException">A command has no event.</exception>
    public void AssertAllMatched()
    {
        while (sent.TryDequeue(out var left))
        {
            if (!left.Optional)
            {
                throw Nondeterminism($"workflow code issued {left}, which the history does not hold");
            }
        }
    }

    // The code is the same in all SDKs, so that people and tools find it.
    private static WorkflowNondeterminismException Nondeterminism(string what) => new($"[TMPRL1100] Nondeterminism error: {what}", "");
}
