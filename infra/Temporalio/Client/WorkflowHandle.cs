using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <summary>A workflow, to act on.</summary>
/// <param name="Client">Client.</param>
/// <param name="Id">Workflow ID.</param>
/// <param name="RunId">Run that signals, queries and updates go to; null for the current one.</param>
/// <param name="ResultRunId">Run from which on the result is awaited.</param>
/// <param name="FirstExecutionRunId">First run of the chain that cancel and terminate may touch.</param>
public partial record WorkflowHandle(
    ITemporalClient Client, string Id, string? RunId = null, string? ResultRunId = null, string? FirstExecutionRunId = null)
{
    private Api.Common.V1.WorkflowExecution Execution => new() { WorkflowId = Id, RunId = RunId ?? "" };

    /// <summary>Describes the workflow.</summary>
    public async Task<WorkflowExecutionDescription> DescribeAsync(WorkflowDescribeOptions? options = null)
    {
        var description = await Client.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = Client.Options.Namespace, Execution = Execution }, TemporalClient.Retrying(options?.Rpc));
        var converter = Client.Options.DataConverter;
        var metadata = description.ExecutionConfig?.UserMetadata;
        return new(
            description,
            converter,
            metadata?.Summary is null ? null : await converter.ToValueAsync<string>(metadata.Summary),
            metadata?.Details is null ? null : await converter.ToValueAsync<string>(metadata.Details));
    }

    /// <summary>Asks the workflow to cancel; it may clean up, or refuse.</summary>
    public Task CancelAsync(WorkflowCancelOptions? options = null) => Client.WorkflowService.RequestCancelWorkflowExecutionAsync(
        new()
        {
            Namespace = Client.Options.Namespace,
            WorkflowExecution = Execution,
            FirstExecutionRunId = FirstExecutionRunId ?? "",
            Identity = Client.Connection.Options.Identity,
            RequestId = Guid.NewGuid().ToString(),
        },
        TemporalClient.Retrying(options?.Rpc));

    /// <summary>Ends the workflow at once, without its code.</summary>
    public async Task TerminateAsync(string? reason = null, WorkflowTerminateOptions? options = null) =>
        await Client.WorkflowService.TerminateWorkflowExecutionAsync(
            new()
            {
                Namespace = Client.Options.Namespace,
                WorkflowExecution = Execution,
                FirstExecutionRunId = FirstExecutionRunId ?? "",
                Reason = reason ?? "",
                Identity = Client.Connection.Options.Identity,
                Details = options?.Details is { Count: > 0 } details ? await Client.Options.DataConverter.ToPayloadsAsync(details) : null,
            },
            TemporalClient.Retrying(options?.Rpc));

    /// <summary>Reads the whole history.</summary>
    public async Task<WorkflowHistory> FetchHistoryAsync(WorkflowHistoryEventFetchOptions? options = null)
    {
        var events = new List<HistoryEvent>();
        await foreach (var evt in FetchHistoryEventsAsync(options))
        {
            events.Add(evt);
        }
        return new(Id, events);
    }

    /// <summary>Reads the history event by event.</summary>
    public async IAsyncEnumerable<HistoryEvent> FetchHistoryEventsAsync(WorkflowHistoryEventFetchOptions? options = null)
    {
        var request = new GetWorkflowExecutionHistoryRequest
        {
            Namespace = Client.Options.Namespace,
            Execution = Execution,
            WaitNewEvent = options?.WaitNewEvent ?? false,
            HistoryEventFilterType = options?.EventFilterType ?? HistoryEventFilterType.AllEvent,
            SkipArchival = options?.SkipArchival ?? false,
        };
        do
        {
            var page = await FetchPageAsync(request, options?.Rpc);
            foreach (var evt in page.History?.Events ?? [])
            {
                yield return evt;
            }
            request.NextPageToken = page.NextPageToken;
        }
        while (!request.NextPageToken.IsEmpty);
    }

    private async Task<GetWorkflowExecutionHistoryResponse> FetchPageAsync(GetWorkflowExecutionHistoryRequest request, RpcOptions? options)
    {
        if (!request.WaitNewEvent)
        {
            return await Client.WorkflowService.GetWorkflowExecutionHistoryAsync(request, TemporalClient.Retrying(options));
        }
        // A long poll outlives a restart of the server.
        var rpc = TemporalClient.Retrying(options);
        rpc.Timeout ??= TimeSpan.FromSeconds(70);
        while (true)
        {
            try
            {
                return await Client.WorkflowService.CallPatientlyAsync(
                    "GetWorkflowExecutionHistory", request, GetWorkflowExecutionHistoryResponse.Parser, rpc);
            }
            catch (RpcException e) when (e.Code == RpcException.StatusCode.DeadlineExceeded && options?.Timeout is null)
            {
                // Nothing happened in that time: ask again.
            }
        }
    }
}
