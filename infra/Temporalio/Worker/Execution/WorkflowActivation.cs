using Temporalio.Api.History.V1;

namespace Temporalio.Worker.Execution;

/// <summary>What a workflow's code learns at the start of one workflow task.</summary>
/// <param name="Chunk">The events.</param>
/// <param name="IsReplaying">Whether the task was completed before.</param>
/// <param name="Patches">Patches that the code passed in this task when it ran first.</param>
/// <param name="Updates">Updates to handle after the events.</param>
/// <param name="LocalActivities">Outcomes of local activities of this task when it ran first, in their order.</param>
internal sealed record WorkflowActivation(
    HistoryChunk Chunk,
    bool IsReplaying,
    IReadOnlyCollection<string> Patches,
    IReadOnlyList<UpdateRequest> Updates,
    IReadOnlyList<LocalActivityOutcome> LocalActivities)
{
    /// <summary>The activation that replays a chunk; what its task led to is read from the chunk after it.</summary>
    public static WorkflowActivation Replay(HistoryChunk chunk, HistoryChunk? next)
    {
        var patches = new HashSet<string>();
        var updates = new List<UpdateRequest>();
        var localActivities = new List<LocalActivityOutcome>();
        foreach (var evt in next?.Events ?? [])
        {
            if (PatchMarker.PatchId(evt) is { } patch)
            {
                patches.Add(patch);
            }
            if (LocalActivityMarker.Read(evt) is { } outcome)
            {
                localActivities.Add(outcome);
            }
            if (evt.WorkflowExecutionUpdateAcceptedEventAttributes is { } accepted)
            {
                updates.Add(new(accepted.ProtocolInstanceId, accepted.AcceptedRequestMessageId, accepted.AcceptedRequestSequencingEventId, accepted.AcceptedRequest, IsAccepted: true));
            }
        }
        return new(chunk, IsReplaying: true, patches, updates, localActivities);
    }

    /// <summary>The activation by a task that has just come.</summary>
    public static WorkflowActivation Live(HistoryChunk chunk, IReadOnlyList<UpdateRequest> updates) => new(chunk, IsReplaying: false, [], updates, []);
}

/// <summary>An update that has arrived.</summary>
/// <param name="ProtocolInstanceId">Names the exchange of messages about it.</param>
/// <param name="MessageId">ID of the message that brought it.</param>
/// <param name="SequencingEventId">Event after which it is to be handled.</param>
/// <param name="Request">The request; null on replay where the history holds it elsewhere.</param>
/// <param name="IsAccepted">Whether it was accepted before, so that it must not be validated again.</param>
internal sealed record UpdateRequest(
    string ProtocolInstanceId, string MessageId, long SequencingEventId, Api.Update.V1.Request? Request, bool IsAccepted);
