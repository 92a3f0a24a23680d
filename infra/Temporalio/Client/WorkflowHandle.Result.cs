using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <content>Waiting for the result.</content>
public partial record WorkflowHandle
{
    /// <summary>Waits for the workflow's end, without its result.</summary>
    /// <inheritdoc cref="GetResultAsync{TResult}(bool, RpcOptions?)"/>
    public Task GetResultAsync(bool followRuns = true, RpcOptions? rpcOptions = null) => GetResultAsync<ValueTuple>(followRuns, rpcOptions);

    /// <summary>Waits for the workflow's result, through restarts of the server.</summary>
    /// <param name="followRuns">Whether to go on with the next run where one continued as new or is retried.</param>
    /// <param name="rpcOptions">Options of the calls.</param>
    /// <exception cref="WorkflowFailedException">The workflow did not succeed; the inner exception says why.</exception>
    /// <exception cref="WorkflowContinuedAsNewException">It continued as new, and runs are not followed.</exception>
    /// <exception cref="RpcException">The server refused.</exception>
    public virtual async Task<TResult> GetResultAsync<TResult>(bool followRuns = true, RpcOptions? rpcOptions = null)
    {
        var runId = ResultRunId;
        while (true)
        {
            var close = await CloseEventAsync(runId, rpcOptions);
            if (followRuns && NextRunId(close) is { } next)
            {
                runId = next;
                continue;
            }
            if (close.WorkflowExecutionCompletedEventAttributes is { } completed)
            {
                return await Client.Options.DataConverter.ToSingleValueAsync<TResult>(completed.Result);
            }
            throw await FailureAsync(close);
        }
    }

    private async Task<HistoryEvent> CloseEventAsync(string? runId, RpcOptions? rpcOptions)
    {
        var request = new GetWorkflowExecutionHistoryRequest
        {
            Namespace = Client.Options.Namespace,
            Execution = new() { WorkflowId = Id, RunId = runId ?? "" },
            WaitNewEvent = true,
            HistoryEventFilterType = HistoryEventFilterType.CloseEvent,
            SkipArchival = true,
        };
        while (true)
        {
            var page = await FetchPageAsync(request, rpcOptions);
            if (page.History?.Events.LastOrDefault() is { } close)
            {
                return close;
            }
            // An empty page with a token: still running, poll on.
            request.NextPageToken = page.NextPageToken;
        }
    }

    private static string? NextRunId(HistoryEvent close) => (close.WorkflowExecutionCompletedEventAttributes?.NewExecutionRunId
        ?? close.WorkflowExecutionFailedEventAttributes?.NewExecutionRunId
        ?? close.WorkflowExecutionTimedOutEventAttributes?.NewExecutionRunId
        ?? close.WorkflowExecutionContinuedAsNewEventAttributes?.NewExecutionRunId)?.NullIfEmpty();

    private async Task<Exception> FailureAsync(HistoryEvent close)
    {
        var converter = Client.Options.DataConverter;
        switch (close.EventType)
        {
            case EventType.WorkflowExecutionFailed:
                return new WorkflowFailedException(await converter.ToExceptionAsync(close.WorkflowExecutionFailedEventAttributes.Failure));
            case EventType.WorkflowExecutionCanceled:
                return new WorkflowFailedException(await converter.ToExceptionAsync(new()
                {
                    Message = "Workflow canceled",
                    CanceledFailureInfo = new() { Details = close.WorkflowExecutionCanceledEventAttributes.Details },
                }));
            case EventType.WorkflowExecutionTerminated:
                var terminated = close.WorkflowExecutionTerminatedEventAttributes;
                return new WorkflowFailedException(new TerminatedFailureException(
                    new() { Message = terminated.Reason.NullIfEmpty() ?? "Workflow terminated", TerminatedFailureInfo = new() },
                    null,
                    terminated.Details is null ? null : new InboundFailureDetails(converter.PayloadConverter, terminated.Details.Payloads_)));
            case EventType.WorkflowExecutionTimedOut:
                return new WorkflowFailedException(await converter.ToExceptionAsync(new()
                {
                    Message = "Workflow timed out",
                    TimeoutFailureInfo = new() { TimeoutType = TimeoutType.StartToClose },
                }));
            case EventType.WorkflowExecutionContinuedAsNew:
                return new WorkflowContinuedAsNewException(close.WorkflowExecutionContinuedAsNewEventAttributes.NewExecutionRunId);
            default:
                return new InvalidOperationException($"Workflow {Id} closed with the unknown event {close.EventType}");
        }
    }
}
