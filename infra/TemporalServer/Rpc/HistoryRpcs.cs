using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>Reading histories, with or without waiting for more.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<HistoryRpcs>), "Bind")]
internal class HistoryRpcs(Executions executions, RunWatch watch, HistoryPages pages, LongPolls polls)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(20);

    public virtual async Task<GetWorkflowExecutionHistoryResponse> GetWorkflowExecutionHistory(
        GetWorkflowExecutionHistoryRequest request, ServerCallContext call)
    {
        var token = await TokenAsync(request.Namespace, request.Execution, request.NextPageToken);
        var address = new RunAddress(token.Namespace, token.WorkflowId, token.RunId);
        using var poll = polls.Begin(call, LongestWait);
        while (true)
        {
            using var next = watch.Subscribe(token.RunId);
            var response = await executions.UpdateAsync(address, run => Read(run, request, token));
            if (response is not null)
            {
                return response;
            }

            if (await Task.WhenAny(next.Change, Task.Delay(Timeout.InfiniteTimeSpan, poll.Over)) != next.Change)
            {
                poll.ThrowIfAbandoned();
                return new() { History = new(), NextPageToken = token.ToByteString() };
            }
        }
    }

    public virtual async Task<GetWorkflowExecutionHistoryReverseResponse> GetWorkflowExecutionHistoryReverse(
        GetWorkflowExecutionHistoryReverseRequest request, ServerCallContext call)
    {
        var token = request.NextPageToken.IsEmpty ? null : HistoryPages.Read(request.NextPageToken);
        return await executions.UpdateAsync(
            token is null
                ? AddressOf(request.Namespace, request.Execution)
                : new RunAddress(token.Namespace, token.WorkflowId, token.RunId),
            run =>
            {
                var next = token?.NextEventId ?? run.History.Count;
                var size = request.MaximumPageSize > 0 ? request.MaximumPageSize : 1000;
                var response = new GetWorkflowExecutionHistoryReverseResponse { History = new() };
                for (; next > 0 && response.History.Events.Count < size; next--)
                {
                    response.History.Events.Add(run.History[(int)next - 1]);
                }

                response.NextPageToken = next > 0 ? HistoryPages.Start(run, next).ToByteString() : ByteString.Empty;
                return response;
            });
    }

    // Null if the caller wants to wait and no event exists yet.
    private GetWorkflowExecutionHistoryResponse? Read(WorkflowRun run, GetWorkflowExecutionHistoryRequest request, HistoryPageToken token)
    {
        if (request.HistoryEventFilterType == HistoryEventFilterType.CloseEvent)
        {
            if (run.IsRunning && request.WaitNewEvent)
            {
                return null;
            }

            var last = new History();
            last.Events.Add(run.History[^1]);
            return new() { History = last };
        }

        if (request.WaitNewEvent && run.IsRunning && token.NextEventId > run.History.Count)
        {
            return null;
        }

        (var page, var next) = pages.Cut(run, token, request.MaximumPageSize);
        if (next.IsEmpty && request.WaitNewEvent && run.IsRunning)
        {
            var more = token.Clone();
            more.NextEventId = run.History.Count + 1;
            next = more.ToByteString();
        }

        return new() { History = page, NextPageToken = next };
    }

    private async Task<HistoryPageToken> TokenAsync(string ns, WorkflowExecution? execution, ByteString token) => token.IsEmpty
        ? await executions.UpdateAsync(AddressOf(ns, execution), run => HistoryPages.Start(run))
        : HistoryPages.Read(token);

    private static RunAddress AddressOf(string ns, WorkflowExecution? execution) => Requests.Address(ns, execution);
}
