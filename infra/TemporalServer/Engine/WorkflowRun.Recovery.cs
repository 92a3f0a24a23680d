using Temporalio.Api.Enums.V1;
using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

/// <summary>Something that a run must do to another one. Repeating it does no harm.</summary>
internal abstract record Errand
{
    private Errand()
    {
    }

    public sealed record StartChild(long InitiatedEventId) : Errand;

    public sealed record Signal(long InitiatedEventId) : Errand;

    public sealed record Cancel(long InitiatedEventId) : Errand;

    public sealed record InformParent : Errand;

    public sealed record EndChild(long InitiatedEventId) : Errand;

    /// <summary>Remove the run itself; only when nothing else is left to do.</summary>
    public sealed record Delete : Errand;
}

// What a stored run still needs from the rest of the server; after a restart this suffices to continue.
internal sealed partial class WorkflowRun
{
    /// <summary>Whether the run waits for a worker or another run, not only for time or a message.</summary>
    public bool HasWork =>
        State.Task is { StartedEventId: 0 }
            || State.Activities.Values.Any(a => a is { Started: false, BackingOff: false }) || Errands().Any();

    /// <summary>Every task that workers may take now.</summary>
    public IEnumerable<DispatchTask> Offers()
    {
        if (WorkflowTaskOffer() is { } offer)
        {
            yield return offer;
        }

        foreach (var activity in State.Activities.Values.Where(a => a is { Started: false, BackingOff: false }))
        {
            yield return ActivityOffer(activity);
        }
    }

    /// <summary>Everything that this run must do to other runs.</summary>
    public IEnumerable<Errand> Errands()
    {
        foreach (var child in State.Children.Values)
        {
            if (child.RunId.Length == 0)
            {
                yield return new Errand.StartChild(child.InitiatedEventId);
            }
            else if (!IsRunning && child.ClosePolicy != ParentClosePolicy.Abandon)
            {
                yield return new Errand.EndChild(child.InitiatedEventId);
            }
        }

        foreach (var id in State.ExternalSignals.Keys)
        {
            yield return new Errand.Signal(id);
        }

        foreach (var id in State.ExternalCancels.Keys)
        {
            yield return new Errand.Cancel(id);
        }

        if (State.ParentUnaware)
        {
            yield return new Errand.InformParent();
        }

        if (State.Deleted && !IsRunning)
        {
            yield return new Errand.Delete();
        }
    }
}
