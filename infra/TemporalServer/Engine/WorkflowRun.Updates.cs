using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;

namespace TemporalServer.Engine;

/// <summary>Updates of one run that no history holds: admitted, perhaps shown to a worker, not yet accepted.</summary>
/// <param name="Requests">By update id.</param>
/// <param name="Shown">Ids of those that the current workflow task carried.</param>
internal sealed record UpdateInbox(IReadOnlyDictionary<string, Request> Requests, IReadOnlySet<string> Shown)
{
    public static readonly UpdateInbox Empty = new(new Dictionary<string, Request>(), new HashSet<string>());

    /// <summary>Whether some came after the workflow task was sent, so that they need the next one.</summary>
    public bool HasWaiting => Requests.Keys.Any(id => !Shown.Contains(id));
}

/// <summary>What a transition did to an update, for the callers that wait for it.</summary>
internal sealed record UpdateProgress(string UpdateId, bool Accepted, Outcome? Outcome);

/// <summary>The protocol messages of one answer; each can be taken once.</summary>
internal sealed class UpdateMessages(IEnumerable<Message> messages)
{
    private readonly List<Message> _remaining = [.. messages];

    public Message? Take(string id)
    {
        var message = _remaining.Find(m => m.Id == id);
        if (message is not null)
        {
            _remaining.Remove(message);
        }

        return message;
    }

    public Message? TakeAny() => _remaining.Count > 0 ? Take(_remaining[0].Id) : null;
}

// Updates: accepted and completed in history, rejected without a trace.
internal sealed partial class WorkflowRun
{
    private readonly List<UpdateProgress> _updateProgress = [];

    /// <summary>The outcome of an accepted update whose workflow closed without completing it.</summary>
    public static Outcome NeverFinished { get; } = new()
    {
        Failure = new Failure
        {
            Message = "Workflow Update failed because the Workflow completed before the Update completed.",
            Source = "Server",
            ApplicationFailureInfo = new() { Type = "AcceptedUpdateCompletedWorkflow", NonRetryable = true },
        },
    };

    public IReadOnlyList<UpdateProgress> UpdateProgress => _updateProgress;

    public bool IsUpdateAccepted(string updateId) =>
        State.Updates.TryGetValue(updateId, out var update) && update.AcceptedEventId > 0;

    /// <summary>How an update ended, or null if it has not ended.</summary>
    public Outcome? UpdateOutcome(string updateId) => !State.Updates.TryGetValue(updateId, out var update) ? null
        : update.CompletedEventId > 0 ? _history[(int)update.CompletedEventId - 1].WorkflowExecutionUpdateCompletedEventAttributes.Outcome
        : IsRunning ? null
        : NeverFinished;

    private void ApplyRemaining(UpdateMessages messages, UpdateInbox updates)
    {
        while (messages.TakeAny() is { } message)
        {
            ApplyMessage(message, updates);
        }
    }

    private void ApplyMessage(Message? message, UpdateInbox updates)
    {
        if (message?.Body is not { } body)
        {
            return;
        }

        var id = message.ProtocolInstanceId;
        if (body.TryUnpack(out Acceptance acceptance))
        {
            AcceptUpdate(id, acceptance, updates);
        }
        else if (body.TryUnpack(out Rejection rejection))
        {
            // An answer that closes the workflow is not checked to its end.
            if (IsUpdateAccepted(id))
            {
                return;
            }

            State.Updates.Remove(id);
            _updateProgress.Add(new(id, false, new Outcome { Failure = rejection.Failure ?? new Failure() }));
        }
        else if (body.TryUnpack(out Response response))
        {
            CompleteUpdate(id, response);
        }
    }

    private void AcceptUpdate(string id, Acceptance acceptance, UpdateInbox updates)
    {
        if (!IsRunning)
        {
            return;
        }

        // A request that is already in an event of this history is not recorded twice.
        var inHistory = State.Updates.TryGetValue(id, out var update);

        var e = Add(new HistoryEvent
        {
            WorkflowExecutionUpdateAcceptedEventAttributes = new()
            {
                ProtocolInstanceId = id,
                AcceptedRequestMessageId = acceptance.AcceptedRequestMessageId,
                AcceptedRequestSequencingEventId = acceptance.AcceptedRequestSequencingEventId,
                AcceptedRequest = inHistory ? null : updates.Requests.GetValueOrDefault(id) ?? acceptance.AcceptedRequest,
            },
        });
        State.Updates[id] = update ?? new State.Update { UpdateId = id };
        State.Updates[id].AcceptedEventId = e.EventId;
        _updateProgress.Add(new(id, true, null));
    }

    private void CompleteUpdate(string id, Response response)
    {
        if (!IsRunning)
        {
            return;
        }

        var update = State.Updates[id];
        var e = Add(new HistoryEvent
        {
            WorkflowExecutionUpdateCompletedEventAttributes = new()
            {
                Meta = response.Meta,
                AcceptedEventId = update.AcceptedEventId,
                Outcome = response.Outcome,
            },
        });
        update.CompletedEventId = e.EventId;
        _updateProgress.Add(new(id, true, response.Outcome));
    }
}
