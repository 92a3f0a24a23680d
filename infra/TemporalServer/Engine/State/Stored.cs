using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Sdk.V1;

namespace TemporalServer.Engine.State;

// Temporal's messages inside the stored state: each read returns a new message, and a change takes effect once it is set.

internal sealed partial class ExecutionState
{
    public WorkflowExecutionStatus Status
    {
        get => (WorkflowExecutionStatus)StatusNumber;
        set => StatusNumber = (int)value;
    }

    public RetryPolicy? RetryPolicy
    {
        get => HasRetryPolicyBytes ? RetryPolicy.Parser.ParseFrom(RetryPolicyBytes) : null;
        set => StoredMessage.Set(value, bytes => RetryPolicyBytes = bytes, ClearRetryPolicyBytes);
    }

    public WorkflowExecution? Root
    {
        get => HasRootBytes ? WorkflowExecution.Parser.ParseFrom(RootBytes) : null;
        set => StoredMessage.Set(value, bytes => RootBytes = bytes, ClearRootBytes);
    }

    public Memo? Memo
    {
        get => HasMemoBytes ? Memo.Parser.ParseFrom(MemoBytes) : null;
        set => StoredMessage.Set(value, bytes => MemoBytes = bytes, ClearMemoBytes);
    }

    public SearchAttributes? SearchAttributes
    {
        get => HasSearchAttributesBytes ? SearchAttributes.Parser.ParseFrom(SearchAttributesBytes) : null;
        set => StoredMessage.Set(value, bytes => SearchAttributesBytes = bytes, ClearSearchAttributesBytes);
    }

    public UserMetadata? UserMetadata
    {
        get => HasUserMetadataBytes ? UserMetadata.Parser.ParseFrom(UserMetadataBytes) : null;
        set => StoredMessage.Set(value, bytes => UserMetadataBytes = bytes, ClearUserMetadataBytes);
    }

    public Priority? Priority
    {
        get => HasPriorityBytes ? Priority.Parser.ParseFrom(PriorityBytes) : null;
        set => StoredMessage.Set(value, bytes => PriorityBytes = bytes, ClearPriorityBytes);
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
        get => HasHeartbeatDetailsBytes ? Payloads.Parser.ParseFrom(HeartbeatDetailsBytes) : null;
        set => StoredMessage.Set(value, bytes => HeartbeatDetailsBytes = bytes, ClearHeartbeatDetailsBytes);
    }

    public Failure? LastFailure
    {
        get => HasLastFailureBytes ? Failure.Parser.ParseFrom(LastFailureBytes) : null;
        set => StoredMessage.Set(value, bytes => LastFailureBytes = bytes, ClearLastFailureBytes);
    }

    public RetryPolicy? RetryPolicy
    {
        get => HasRetryPolicyBytes ? RetryPolicy.Parser.ParseFrom(RetryPolicyBytes) : null;
        set => StoredMessage.Set(value, bytes => RetryPolicyBytes = bytes, ClearRetryPolicyBytes);
    }

    public Priority? Priority
    {
        get => HasPriorityBytes ? Priority.Parser.ParseFrom(PriorityBytes) : null;
        set => StoredMessage.Set(value, bytes => PriorityBytes = bytes, ClearPriorityBytes);
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

internal static class StoredMessage
{
    public static void Set(IMessage? value, Action<ByteString> set, Action clear)
    {
        if (value is null)
        {
            clear();
        }
        else
        {
            set(value.ToByteString());
        }
    }
}
