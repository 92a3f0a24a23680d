using Google.Protobuf;
using Google.Protobuf.Reflection;
using Temporalio.Api.History.V1;

namespace Alt.Tests;

/// <summary>What holds for every history.</summary>
internal static class HistoryInvariants
{
    private static readonly HashSet<string> Closing =
    [
        "WorkflowExecutionCompleted", "WorkflowExecutionFailed", "WorkflowExecutionCanceled", "WorkflowExecutionTerminated",
        "WorkflowExecutionTimedOut", "WorkflowExecutionContinuedAsNew",
    ];

    /// <summary>
    /// Ids without a gap, references to earlier events of the right kind, each scheduled thing started and ended once at most, and nothing
    /// after the end.
    /// </summary>
    public static void Check(IReadOnlyList<HistoryEvent> history)
    {
        Assert.Equal(Enumerable.Range(1, history.Count).Select(i => (long)i), history.Select(e => e.EventId));
        Assert.Equal("WorkflowExecutionStarted", Name(history[0]));
        Assert.DoesNotContain(history.Take(history.Count - 1), e => Closing.Contains(Name(e)));
        foreach (var e in history)
        {
            Refers(history, e, "scheduled_event_id", name => name.EndsWith("Scheduled", StringComparison.Ordinal));
            Refers(history, e, "initiated_event_id", name => name.EndsWith("Initiated", StringComparison.Ordinal));
            Refers(history, e, "started_event_id", name => name.EndsWith("Started", StringComparison.Ordinal));
            Refers(history, e, "workflow_task_completed_event_id", name => name == "WorkflowTaskCompleted");
        }

        foreach (var ending in new[] { "Completed", "Failed", "TimedOut", "Canceled" })
        {
            Assert.All(
                history.Where(e => Name(e) == $"ActivityTask{ending}" || Name(e) == $"WorkflowTask{ending}")
                    .GroupBy(e => Reference(e, "scheduled_event_id")),
                group => Assert.Single(group));
        }

        Assert.All(
            history.Where(e =>
                Name(e) is "ActivityTaskCompleted" or "ActivityTaskFailed" or "ActivityTaskTimedOut" or "ActivityTaskCanceled")
                .GroupBy(e => Reference(e, "scheduled_event_id")),
            group => Assert.Single(group));
        Assert.All(
            history.Where(e => Name(e) is "TimerFired" or "TimerCanceled").GroupBy(e => Reference(e, "started_event_id")), group =>
                Assert.Single(group));
    }

    private static void Refers(IReadOnlyList<HistoryEvent> history, HistoryEvent e, string field, Predicate<string> kind)
    {
        if (Reference(e, field) is not ({ } id and not 0))
        {
            return;
        }

        Assert.True(
            id < e.EventId && kind(Name(history[(int)id - 1])),
            $"Event {e.EventId} {Name(e)}: {field} {id} is {Name(history[(int)id - 1])}");
    }

    private static long? Reference(HistoryEvent e, string field) =>
        Attributes(e) is { } attributes && attributes.Descriptor.FindFieldByName(field) is { FieldType: FieldType.Int64 } found
            ? (long)found.Accessor.GetValue(attributes)
            : null;

    private static string Name(HistoryEvent e) => e.EventType.ToString();

    private static IMessage? Attributes(HistoryEvent e) =>
        HistoryEvent.Descriptor.Oneofs.Single(o =>
            o.Name == "attributes").Accessor.GetCaseFieldDescriptor(e)?.Accessor.GetValue(e) as IMessage;
}
