using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Grpc;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>Listing and counting workflows.</summary>
internal sealed class VisibilityRpcs(VisibilityStore store, SearchAttributeTypes attributes)
{
    public async Task<ListWorkflowExecutionsResponse> ListWorkflowExecutionsAsync(ListWorkflowExecutionsRequest request, CallContext call)
    {
        var (runs, next) = await store.ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken);
        var response = new ListWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public async Task<ScanWorkflowExecutionsResponse> ScanWorkflowExecutionsAsync(ScanWorkflowExecutionsRequest request, CallContext call)
    {
        var (runs, next) = await store.ListAsync(request.Namespace, request.Query, request.PageSize, request.NextPageToken);
        var response = new ScanWorkflowExecutionsResponse { NextPageToken = next };
        response.Executions.Add(runs);
        return response;
    }

    public Task<ListArchivedWorkflowExecutionsResponse> ListArchivedWorkflowExecutionsAsync(
        ListArchivedWorkflowExecutionsRequest request, CallContext call) =>
        Task.FromResult(new ListArchivedWorkflowExecutionsResponse());

    public async Task<CountWorkflowExecutionsResponse> CountWorkflowExecutionsAsync(CountWorkflowExecutionsRequest request, CallContext call)
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

    public Task<GetSearchAttributesResponse> GetSearchAttributesAsync(GetSearchAttributesRequest request, CallContext call)
    {
        var response = new GetSearchAttributesResponse();
        foreach (FilterField field in FilterField.System)
        {
            response.Keys.Add(field.Name, field.Type);
        }

        foreach (var (name, type) in attributes.All)
        {
            response.Keys.Add(name, type);
        }

        return Task.FromResult(response);
    }

    private static Payload Keyword(string text)
    {
        var payload = new Payload { Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(text)) };
        payload.Metadata["encoding"] = ByteString.CopyFromUtf8("json/plain");
        payload.Metadata["type"] = ByteString.CopyFromUtf8("Keyword");
        return payload;
    }
}
