using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;

namespace TemporalServer.Engine.State;

// Temporal's messages inside the stored state: each read gives a new message, and a change counts once it is set.

internal sealed partial class ExecutionState
{
    public WorkflowExecutionStatus Status
    {
        get => (WorkflowExecutionStatus)StatusNumber;
        set => StatusNumber = (int)value;
    }

    public RetryPolicy? RetryPolicy
    {
        get => RetryPolicy.Parser.ParseStored(RetryPolicyBytes);
        set => RetryPolicyBytes = value?.ToByteString();
    }

    public WorkflowExecution? Root
    {
        get => WorkflowExecution.Parser.ParseStored(RootBytes);
        set => RootBytes = value?.ToByteString();
    }

    public Memo? Memo
    {
        get => Memo.Parser.ParseStored(MemoBytes);
        set => MemoBytes = value?.ToByteString();
    }

    public SearchAttributes? SearchAttributes
    {
        get => SearchAttributes.Parser.ParseStored(SearchAttributesBytes);
        set => SearchAttributesBytes = value?.ToByteString();
    }

    public UserMetadata? UserMetadata
    {
        get => UserMetadata.Parser.ParseStored(UserMetadataBytes);
        set => UserMetadataBytes = value?.ToByteString();
    }

    public Priority? Priority
    {
        get => Priority.Parser.ParseStored(PriorityBytes);
        set => PriorityBytes = value?.ToByteString();
    }

    /// <summary>Events that arrived while a workflow task was running, in order; without event ids.</summary>
    public IEnumerable<HistoryEvent> BufferedEvents => BufferedEventBytes.Select(HistoryEvent.Parser.ParseFrom);

    public void Buffer(HistoryEvent e) => BufferedEventBytes.Add(e.ToByteString());

    /// <summary>Removes the first buffered event of its kind.</summary>
    public HistoryEvent TakeBuffered(Func<HistoryEvent, bool> isWanted)
    {
        var (index, taken) = BufferedEvents.Index().First(e => isWanted(e.Item));
        BufferedEventBytes.RemoveAt(index);
        return taken;
    }
}

internal sealed partial class Activity
{
    public Payloads? HeartbeatDetails
    {
        get => Payloads.Parser.ParseStored(HeartbeatDetailsBytes);
        set => HeartbeatDetailsBytes = value?.ToByteString();
    }

    public Failure? LastFailure
    {
        get => Failure.Parser.ParseStored(LastFailureBytes);
        set => LastFailureBytes = value?.ToByteString();
    }

    public RetryPolicy? RetryPolicy
    {
        get => RetryPolicy.Parser.ParseStored(RetryPolicyBytes);
        set => RetryPolicyBytes = value?.ToByteString();
    }

    public Priority? Priority
    {
        get => Priority.Parser.ParseStored(PriorityBytes);
        set => PriorityBytes = value?.ToByteString();
    }
}

internal sealed partial class Child
{
    public ParentClosePolicy ClosePolicy
    {
        get => (ParentClosePolicy)ClosePolicyNumber;
        set => ClosePolicyNumber = (int)value;
    }
}

internal static class StoredMessages
{
    public static T? ParseStored<T>(this MessageParser<T> parser, ByteString? bytes)
        where T : class, IMessage<T> => bytes is null ? null : parser.ParseFrom(bytes);
}
