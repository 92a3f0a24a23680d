using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Api.WorkflowService.V1;
using Stage = Temporalio.Api.Enums.V1.UpdateWorkflowExecutionLifecycleStage;

namespace TemporalServer.Engine;

// Checks of the updates in a worker's answer before any part of it is applied. A worker's step that history does not record
// cannot be replayed: an update is accepted or rejected once, and completed once after it was accepted.
internal sealed partial class WorkflowRun
{
    private CommandFault? FirstBad(RespondWorkflowTaskCompletedRequest request, UpdateInbox updates)
    {
        var messages = new UpdateMessages(request.Messages);
        var reached = new Dictionary<string, Stage>();
        foreach (var command in request.Commands)
        {
            if (IsClosing(command))
            {
                // Of the messages that no command has named so far, only rejections still count.
                return null;
            }

            if (command.ProtocolMessageCommandAttributes is { } wanted
                && (messages.Take(wanted.MessageId) is { } message
                    ? Fault(message, updates, reached)
                    : Bad($"ProtocolMessageCommand referenced absent message ID {wanted.MessageId}")) is { } fault)
            {
                return fault;
            }
        }

        while (messages.TakeAny() is { } message)
        {
            if (Fault(message, updates, reached) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    /// <param name="reached">The stage that earlier messages have brought each update to.</param>
    private CommandFault? Fault(Message message, UpdateInbox updates, Dictionary<string, Stage> reached)
    {
        var id = message.ProtocolInstanceId;
        var stage = reached.TryGetValue(id, out var known) ? known : StageOf(id, updates);
        (var fits, var next) =
            message.Body is not { } body ? (true, stage)
            // An update that a restart made the server forget comes back with its request.
            : body.TryUnpack(out Acceptance acceptance) ? (
                stage == Stage.Admitted || (stage == Stage.Unspecified && acceptance.AcceptedRequest is not null), Stage.Accepted)
            : body.Is(Rejection.Descriptor) ? (stage is Stage.Admitted or Stage.Unspecified, Stage.Completed)
            : body.Is(Response.Descriptor) ? (stage == Stage.Accepted, Stage.Completed)
            : (true, stage);
        reached[id] = next;
        return fits
            ? null
            : Bad(
                $"invalid state transition attempted for Update {id}: received "
                + $"{message.Body!.TypeUrl[(message.Body.TypeUrl.LastIndexOf('.') + 1)..]} message while in state {stage}");
    }

    private Stage StageOf(string id, UpdateInbox updates) => State.Updates.GetValueOrDefault(id) switch
    {
        { CompletedEventId: > 0 } => Stage.Completed,
        { AcceptedEventId: > 0 } => Stage.Accepted,
        null when !updates.Requests.ContainsKey(id) => Stage.Unspecified,
        _ => Stage.Admitted,
    };

    private static CommandFault Bad(string text) => new(WorkflowTaskFailedCause.BadUpdateWorkflowExecutionMessage, text);
}
