using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Filter.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Serving;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>Listing and counting workflows.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<VisibilityRpcs>), "Bind")]
internal class VisibilityRpcs(VisibilityStore store, SearchAttributeTypes attributes)
{
    public virtual async Task<ListWorkflowExecutionsResponse> ListWorkflowExecutions(
        ListWorkflowExecutionsRequest request, ServerCallContext call)
    {
        var (runs, next) = await store.ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken);
        var response = new ListWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public virtual async Task<ScanWorkflowExecutionsResponse> ScanWorkflowExecutions(
        ScanWorkflowExecutionsRequest request, ServerCallContext call)
    {
        var (runs, next) = await store.ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken);
        var response = new ScanWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public virtual async Task<ListOpenWorkflowExecutionsResponse> ListOpenWorkflowExecutions(
        ListOpenWorkflowExecutionsRequest request, ServerCallContext call)
    {
        var query = Query(
            "ExecutionStatus = 'Running'", "StartTime", request.StartTimeFilter, request.ExecutionFilter, request.TypeFilter);
        var (runs, next) = await store.ListAsync(request.Namespace, query, request.MaximumPageSize, request.NextPageToken);
        var response = new ListOpenWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public virtual async Task<ListClosedWorkflowExecutionsResponse> ListClosedWorkflowExecutions(
        ListClosedWorkflowExecutionsRequest request, ServerCallContext call)
    {
        var status = request.StatusFilter is { } wanted ? $"ExecutionStatus = '{wanted.Status}'" : "ExecutionStatus != 'Running'";
        var query = Query(status, "CloseTime", request.StartTimeFilter, request.ExecutionFilter, request.TypeFilter);
        var (runs, next) = await store.ListAsync(request.Namespace, query, request.MaximumPageSize, request.NextPageToken);
        var response = new ListClosedWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public virtual async Task<CountWorkflowExecutionsResponse> CountWorkflowExecutions(
        CountWorkflowExecutionsRequest request, ServerCallContext call)
    {
        var (count, groups) = await store.CountAsync(request.Namespace, request.Query);
        var response = new CountWorkflowExecutionsResponse { Count = count };
        foreach (var (status, number) in groups)
        {
            var group = new CountWorkflowExecutionsResponse.Types.AggregationGroup { Count = number };
            group.GroupValues.Add(Keyword(status.ToString()));
            response.Groups.Add(group);
        }

        return response;
    }

    public virtual Task<GetSearchAttributesResponse> GetSearchAttributes(GetSearchAttributesRequest request, ServerCallContext call)
    {
        var response = new GetSearchAttributesResponse();
        foreach (var field in FilterField.System)
        {
            response.Keys.Add(field.Name, field.Type);
        }

        foreach (var (name, type) in attributes.All)
        {
            response.Keys.Add(name, type);
        }

        return Task.FromResult(response);
    }

    // The older list requests express in message fields what the newer one expresses in a filter.
    private static string Query(
        string status, string time, StartTimeFilter? times, WorkflowExecutionFilter? execution, WorkflowTypeFilter? type)
    {
        List<string> terms = [status];
        if (times?.EarliestTime is { } earliest)
        {
            terms.Add($"{time} >= '{earliest.ToDateTime():O}'");
        }

        if (times?.LatestTime is { } latest)
        {
            terms.Add($"{time} <= '{latest.ToDateTime():O}'");
        }

        if (execution is { WorkflowId.Length: > 0 })
        {
            terms.Add($"WorkflowId = {Quoted(execution.WorkflowId)}");
        }

        if (execution is { RunId.Length: > 0 })
        {
            terms.Add($"RunId = {Quoted(execution.RunId)}");
        }

        if (type is { Name.Length: > 0 })
        {
            terms.Add($"WorkflowType = {Quoted(type.Name)}");
        }

        return string.Join(" AND ", terms);
    }

    private static string Quoted(string text) =>
        $"'{text.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'";

    private static Payload Keyword(string text)
    {
        var payload = new Payload { Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(text)) };
        payload.Metadata["encoding"] = ByteString.CopyFromUtf8("json/plain");
        payload.Metadata["type"] = ByteString.CopyFromUtf8("Keyword");
        return payload;
    }
}
