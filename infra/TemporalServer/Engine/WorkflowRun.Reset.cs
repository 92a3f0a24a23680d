using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

/// <summary>Where and how to reset a run.</summary>
/// <param name="FinishEventId">
/// The first event that the new run does not take over; a workflow task must be open just before it.
/// </param>
/// <param name="Excluded">Kinds of later events that are not applied to the new run again.</param>
internal sealed record Reset(
    long FinishEventId, string Reason, string RequestId, IReadOnlySet<ResetReapplyExcludeType> Excluded,
    IReadOnlyList<PostResetOperation> Operations);

// Reset: a new run that shares the beginning of another run's history and then continues differently.
internal sealed partial class WorkflowRun
{
    /// <summary>Ends this run in favour of the one that a reset starts, which takes over its children.</summary>
    public void YieldToReset(string reason)
    {
        Terminate(reason, null, ServerIdentity);
        State.Children.Clear();
        State.ParentUnaware = false;
    }

    /// <summary>Records which run a reset of this one started.</summary>
    public void RecordReset(string newRunId)
    {
        State.ResetRunId = newRunId;
        Touch();
    }

    /// <summary>This run and those that it was reset from: every run whose parent is one of them is a child of this run.</summary>
    public string[] OwnRunIds() => [State.RunId, .. State.BaseRunIds];

    /// <summary>Begins the run that a reset asks for.</summary>
    /// <param name="chain">The run to be reset and those that continued it, in order.</param>
    /// <param name="openChildren">
    /// Initiated events of the children that the run had open; the new run takes over those that its history knows.
    /// </param>
    /// <exception cref="RpcError">INVALID_ARGUMENT if the history cannot be cut there.</exception>
    public static WorkflowRun StartReset(IReadOnlyList<WorkflowRun> chain, IReadOnlySet<long> openChildren, Reset reset, DateTime now)
    {
        var source = chain[0];
        var newRunId = Guid.NewGuid().ToString();
        var start = new RunStart(source.State.Namespace, newRunId, source.Started, reset.RequestId, source.State.UserMetadata);
        var state = NewState(start, now, now);
        state.BaseRunIds.Add(source.State.RunId);
        state.BaseRunIds.Add(source.State.BaseRunIds);
        state.BaseChildIds.Add(source.ChildIds().Union(source.State.BaseChildIds));
        var run = new WorkflowRun(state, [], 0) { VisibilityChanged = true };
        run.Begin(now);
        foreach (var e in source._history.Take((int)reset.FinishEventId - 1))
        {
            run.Adopt(e, source.State.RunId);
        }

        run.KeepChildren(openChildren, source.State.RunId);
        run.FailTaskForReset(source.State.RunId, reset);
        run.Reapply(chain.SelectMany((r, i) => i == 0 ? r._history.Skip((int)reset.FinishEventId - 1) : r._history), reset.Excluded);
        run.Apply(reset.Operations);
        run.ScheduleWorkflowTask();
        run._tasks.AddRange(run.State.Activities.Values.Select(run.ActivityOffer));
        return run;
    }

    private IEnumerable<string> ChildIds() =>
        _history.Select(e => e.StartChildWorkflowExecutionInitiatedEventAttributes?.WorkflowId).OfType<string>();

    // A child whose start this history does not show may already run: starting it again with the same request id finds it.
    private void KeepChildren(IReadOnlySet<long> open, string baseRunId)
    {
        foreach (var child in State.Children.Values.Where(c => c.RunId.Length == 0 && open.Contains(c.InitiatedEventId)))
        {
            child.RequestId = $"{baseRunId}:{child.InitiatedEventId}";
        }
    }

    private void FailTaskForReset(string baseRunId, Reset reset)
    {
        if (State.Task is not { } task)
        {
            throw RpcError.InvalidArgument(
                $"Can only reset workflow to event ID in range [WorkflowTaskScheduled +1, WorkflowTaskStarted + 1]: {reset.FinishEventId}");
        }

        if (task.StartedEventId == 0)
        {
            task.StartedTime = NowStamp;
            task.Identity = ServerIdentity;
            task.RequestId = Guid.NewGuid().ToString();
            task.StartedEventId = AddWorkflowTaskStarted(task).EventId;
        }

        Add(new HistoryEvent
        {
            WorkflowTaskFailedEventAttributes = new()
            {
                ScheduledEventId = task.ScheduledEventId,
                StartedEventId = task.StartedEventId,
                Cause = WorkflowTaskFailedCause.ResetWorkflow,
                Failure = new Failure { Message = reset.Reason, Source = "Server", ResetWorkflowFailureInfo = new() },
                Identity = ServerIdentity,
                BaseRunId = baseRunId,
                NewRunId = State.RunId,
            },
        });
        State.Task = null;
    }

    // What clients sent after the cut is still meant for the workflow.
    private void Reapply(IEnumerable<HistoryEvent> later, IReadOnlySet<ResetReapplyExcludeType> excluded)
    {
        foreach (var e in later)
        {
            if (e.WorkflowExecutionSignaledEventAttributes is { } signal && !excluded.Contains(ResetReapplyExcludeType.Signal))
            {
                NoteSignal(signal.RequestId);
                Add(new HistoryEvent { WorkflowExecutionSignaledEventAttributes = signal.Clone() });
            }

            var update =
                e.WorkflowExecutionUpdateAcceptedEventAttributes?.AcceptedRequest
                    ?? e.WorkflowExecutionUpdateAdmittedEventAttributes?.Request;
            if (update is not null && !excluded.Contains(ResetReapplyExcludeType.Update)
                && !State.Updates.ContainsKey(update.Meta.UpdateId))
            {
                var admitted = Add(new HistoryEvent
                {
                    WorkflowExecutionUpdateAdmittedEventAttributes = new()
                    {
                        Request = update.Clone(),
                        Origin = UpdateAdmittedEventOrigin.Reapply
                    },
                });
                FoldUpdate(admitted);
            }
        }
    }

    private void Apply(IReadOnlyList<PostResetOperation> operations)
    {
        foreach (var signal in operations.Select(o => o.SignalWorkflow))
        {
            Add(new HistoryEvent
            {
                WorkflowExecutionSignaledEventAttributes = new()
                {
                    SignalName = signal.SignalName,
                    Input = signal.Input,
                    Header = signal.Header,
                    Identity = ServerIdentity,
                },
            });
        }
    }
}
