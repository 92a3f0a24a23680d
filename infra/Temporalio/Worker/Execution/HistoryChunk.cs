using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Temporalio.Worker.Execution;

/// <summary>
/// The events that belong to one workflow task: those after the start of the previous one, up to the start of this one.
/// </summary>
/// <param name="Events">The events in order.</param>
/// <param name="Started">The event that starts the task; null at the end of a closed or interrupted history.</param>
internal sealed record HistoryChunk(IReadOnlyList<HistoryEvent> Events, HistoryEvent? Started)
{
    /// <summary>
    /// Cuts a history at the starts of workflow tasks. A task that failed or timed out left nothing behind, so it belongs to the next.
    /// </summary>
    public static IReadOnlyList<HistoryChunk> Split(IReadOnlyList<HistoryEvent> history)
    {
        var chunks = new List<HistoryChunk>();
        var current = new List<HistoryEvent>();
        for (var i = 0; i < history.Count; i++)
        {
            current.Add(history[i]);
            var isLast = i == history.Count - 1;
            if (history[i].EventType == EventType.WorkflowTaskStarted && (isLast || history[i + 1].EventType == EventType.WorkflowTaskCompleted))
            {
                chunks.Add(new(current, history[i]));
                current = [];
            }
        }
        if (current.Count > 0)
        {
            chunks.Add(new(current, null));
        }
        return chunks;
    }
}
