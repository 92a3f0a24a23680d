using Grpc.Core;
using Temporalio.Api.OperatorService.V1;
using TemporalServer.Serving;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>
/// The operator's service: search attributes, and empty lists of Nexus endpoints and other clusters, which this server does not have.
/// </summary>
[BindServiceMethod(typeof(OperatorServiceBinding<OperatorRpcs>), "Bind")]
internal class OperatorRpcs(SearchAttributeTypes attributes)
{
    public virtual async Task<AddSearchAttributesResponse> AddSearchAttributes(AddSearchAttributesRequest request, ServerCallContext call)
    {
        await attributes.AddAsync(request.SearchAttributes);
        return new();
    }

    public virtual async Task<RemoveSearchAttributesResponse> RemoveSearchAttributes(
        RemoveSearchAttributesRequest request, ServerCallContext call)
    {
        await attributes.RemoveAsync(request.SearchAttributes);
        return new();
    }

    public virtual Task<ListSearchAttributesResponse> ListSearchAttributes(ListSearchAttributesRequest request, ServerCallContext call)
    {
        var response = new ListSearchAttributesResponse();
        foreach (var (name, type) in attributes.Custom)
        {
            response.CustomAttributes.Add(name, type);
        }

        foreach (var field in FilterField.System)
        {
            response.SystemAttributes.Add(field.Name, field.Type);
        }

        foreach (var (name, type) in attributes.All.Except(attributes.Custom))
        {
            response.SystemAttributes.Add(name, type);
        }

        return Task.FromResult(response);
    }

    public virtual Task<ListNexusEndpointsResponse> ListNexusEndpoints(ListNexusEndpointsRequest request, ServerCallContext call) =>
        Task.FromResult(new ListNexusEndpointsResponse());

    public virtual Task<ListClustersResponse> ListClusters(ListClustersRequest request, ServerCallContext call) =>
        Task.FromResult(new ListClustersResponse());
}
