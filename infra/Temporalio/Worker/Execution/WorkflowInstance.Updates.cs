using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Protocol.V1;
using Temporalio.Api.Update.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Updates: a request message comes in; acceptance or rejection, and later the outcome, go out as messages.</content>
internal sealed partial class WorkflowInstance
{
    private readonly AsyncLocal<WorkflowUpdateInfo?> currentUpdate = new();
    private readonly Dictionary<string, Request> admittedUpdates = [];
    private readonly List<Message> messages = [];

    public IDictionary<string, WorkflowUpdateDefinition> Updates { get; }

    public WorkflowUpdateDefinition? DynamicUpdate { get; set; }

    public WorkflowUpdateInfo? CurrentUpdateInfo => currentUpdate.Value;

    /// <summary>The messages since the last call.</summary>
    public IReadOnlyList<Message> TakeMessages()
    {
        var taken = messages.ToArray();
        messages.Clear();
        return taken;
    }

    private void ApplyUpdate(UpdateRequest update)
    {
        if ((update.Request ?? admittedUpdates.GetValueOrDefault(update.ProtocolInstanceId)) is { } request)
        {
            _ = RunAsTask(() => RunTopLevelAsync(() => HandleUpdateAsync(update, request)));
        }
    }

    private async Task HandleUpdateAsync(UpdateRequest update, Request request)
    {
        var name = request.Input.Name;
        currentUpdate.Value = new(request.Meta.UpdateId, name);
        WorkflowUpdateDefinition handler;
        object?[] arguments;
        try
        {
            handler = Updates.TryGetValue(name, out var known) ? known : DynamicUpdate ?? throw new InvalidOperationException(
                $"Update handler for {name} expected but not found, known updates: [{string.Join(' ', Updates.Keys.Order(StringComparer.Ordinal))}]");
            var target = Instance;
            arguments = HandlerArguments(handler.Method ?? handler.Delegate!.Method, request.Input.Args, $"Update {name}", handler.Dynamic, name);
            if (!update.IsAccepted)
            {
                Validate(handler, target, arguments);
            }
        }
        catch (Exception e) when (!update.IsAccepted)
        {
            Reject(update, request, e);
            return;
        }
        Accept(update, request);
        var running = ("Update", name, handler.UnfinishedPolicy);
        runningHandlers.Add(running);
        try
        {
            var result = await TaskResult.UnwrapAsync(handler.Method is { } method ? Invoke(method, Instance, arguments) : InvokeDelegate(handler.Delegate!, arguments));
            Respond(update, request, new Outcome { Success = converter.ToPayloads([result]) });
        }
        catch (Exception e) when (e is not ContinueAsNewException && FailsWorkflow(e))
        {
            Respond(update, request, new Outcome { Failure = failureConverter.ToFailure(e, converter) });
        }
        finally
        {
            runningHandlers.Remove(running);
        }
    }

    private void Validate(WorkflowUpdateDefinition handler, object target, object?[] arguments) => ledger.Frozen<object?>(() =>
        handler.ValidatorMethod is { } method ? Invoke(method, target, arguments)
        : handler.ValidatorDelegate is { } validator ? InvokeDelegate(validator, arguments)
        : null);

    private void Accept(UpdateRequest update, Request request) => Send(
        update,
        "accept",
        new Acceptance
        {
            AcceptedRequestMessageId = update.MessageId,
            AcceptedRequestSequencingEventId = update.SequencingEventId,
            AcceptedRequest = request,
        },
        EventType.WorkflowExecutionUpdateAccepted,
        evt => PendingCommand.Compare("update", evt.WorkflowExecutionUpdateAcceptedEventAttributes.ProtocolInstanceId, update.ProtocolInstanceId));

    private void Respond(UpdateRequest update, Request request, Outcome outcome) => Send(
        update,
        "complete",
        new Response { Meta = request.Meta, Outcome = outcome },
        EventType.WorkflowExecutionUpdateCompleted,
        evt => PendingCommand.Compare("update", evt.WorkflowExecutionUpdateCompletedEventAttributes.Meta.UpdateId, request.Meta.UpdateId));

    // A rejected update leaves no event, so no command either.
    private void Reject(UpdateRequest update, Request request, Exception reason) => messages.Add(NewMessage(
        update,
        "reject",
        new Rejection
        {
            RejectedRequestMessageId = update.MessageId,
            RejectedRequestSequencingEventId = update.SequencingEventId,
            RejectedRequest = request,
            Failure = failureConverter.ToFailure(reason, converter),
        }));

    // The command says where among the others the message takes effect.
    private void Send(UpdateRequest update, string step, IMessage body, EventType becomes, Func<Api.History.V1.HistoryEvent, string?> difference)
    {
        var message = NewMessage(update, step, body);
        ledger.Add(new(
            new Command { CommandType = CommandType.ProtocolMessage, ProtocolMessageCommandAttributes = new() { MessageId = message.Id } },
            becomes,
            $"{step} of update {update.ProtocolInstanceId}",
            difference));
        messages.Add(message);
    }

    private static Message NewMessage(UpdateRequest update, string step, IMessage body) => new()
    {
        Id = $"{update.ProtocolInstanceId}/{step}",
        ProtocolInstanceId = update.ProtocolInstanceId,
        Body = Any.Pack(body),
    };
}
