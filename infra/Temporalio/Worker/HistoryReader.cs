using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Converters;

namespace Temporalio.Worker;

/// <summary>Gets the events of a workflow task that did not come with it.</summary>
internal sealed class HistoryReader(IWorkerClient client)
{
    /// <summary>The task's events with all further pages.</summary>
    public async Task<IReadOnlyList<HistoryEvent>> CompleteAsync(PollWorkflowTaskQueueResponse task)
    {
        var events = task.History?.Events.ToList() ?? [];
        await AddPagesAsync(events, task, task.NextPageToken);
        return events;
    }

    /// <summary>The history from the first event on, up to the task's last one.</summary>
    public async Task<IReadOnlyList<HistoryEvent>> FetchAllAsync(PollWorkflowTaskQueueResponse task, IReadOnlyList<HistoryEvent> tail)
    {
        var events = new List<HistoryEvent>();
        await AddPagesAsync(events, task, null);
        if (tail.Count > 0)
        {
            // What has been recorded since the task was handed out belongs to the next one; what only the task holds is not recorded yet.
            events.RemoveAll(evt => evt.EventId >= tail[0].EventId);
            events.AddRange(tail);
        }
        return events;
    }

    private async Task AddPagesAsync(List<HistoryEvent> events, PollWorkflowTaskQueueResponse task, Google.Protobuf.ByteString? token)
    {
        while (token is null || !token.IsEmpty)
        {
            var page = await client.Connection.WorkflowService.CallPatientlyAsync(
                "GetWorkflowExecutionHistory",
                new GetWorkflowExecutionHistoryRequest
                {
                    Namespace = client.Options.Namespace,
                    Execution = task.WorkflowExecution,
                    NextPageToken = token ?? Google.Protobuf.ByteString.Empty,
                    HistoryEventFilterType = HistoryEventFilterType.AllEvent,
                },
                GetWorkflowExecutionHistoryResponse.Parser,
                new() { Timeout = TimeSpan.FromSeconds(30) });
            await PayloadVisitor.DecodeAsync(page, client.Options.DataConverter.PayloadCodec);
            events.AddRange(page.History?.Events ?? []);
            token = page.NextPageToken;
        }
    }
}
