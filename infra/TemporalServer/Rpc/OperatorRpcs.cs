using Temporalio.Api.OperatorService.V1;
using TemporalServer.Grpc;
using TemporalServer.Visibility;

namespace TemporalServer.Rpc;

/// <summary>The operator's service: search attributes.</summary>
internal sealed class OperatorRpcs(SearchAttributeTypes attributes)
{
    public async Task<AddSearchAttributesResponse> AddSearchAttributesAsync(AddSearchAttributesRequest request, CallContext call)
    {
        await attributes.AddAsync(request.SearchAttributes);
        return new();
    }

    public async Task<RemoveSearchAttributesResponse> RemoveSearchAttributesAsync(RemoveSearchAttributesRequest request, CallContext call)
    {
        await attributes.RemoveAsync(request.SearchAttributes);
        return new();
    }

    public Task<ListSearchAttributesResponse> ListSearchAttributesAsync(ListSearchAttributesRequest request, CallContext call)
    {
        var response = new ListSearchAttributesResponse();
        foreach (var (name, type) in attributes.Custom)
        {
            response.CustomAttributes.Add(name, type);
        }

        foreach (FilterField field in FilterField.System)
        {
            response.SystemAttributes.Add(field.Name, field.Type);
        }

        foreach (var (name, type) in attributes.All.Except(attributes.Custom))
        {
            response.SystemAttributes.Add(name, type);
        }

        return Task.FromResult(response);
    }
}
