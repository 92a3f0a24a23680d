using Temporalio.Api.OperatorService.V1;

namespace Temporalio.Client;

/// <summary>Raw calls of Temporal's operator service: cluster and search attributes. Not retried unless the options say so.</summary>
public class OperatorService : RpcService
{
    internal OperatorService(TemporalConnection connection)
        : base(connection, "temporal.api.operatorservice.v1.OperatorService")
    {
    }

    /// <summary>Calls AddSearchAttributes.</summary>
    public Task<AddSearchAttributesResponse> AddSearchAttributesAsync(AddSearchAttributesRequest req, RpcOptions? options = null) =>
        CallAsync("AddSearchAttributes", req, AddSearchAttributesResponse.Parser, options);

    /// <summary>Calls DeleteNamespace.</summary>
    public Task<DeleteNamespaceResponse> DeleteNamespaceAsync(DeleteNamespaceRequest req, RpcOptions? options = null) =>
        CallAsync("DeleteNamespace", req, DeleteNamespaceResponse.Parser, options);

    /// <summary>Calls ListSearchAttributes.</summary>
    public Task<ListSearchAttributesResponse> ListSearchAttributesAsync(ListSearchAttributesRequest req, RpcOptions? options = null) =>
        CallAsync("ListSearchAttributes", req, ListSearchAttributesResponse.Parser, options);

    /// <summary>Calls RemoveSearchAttributes.</summary>
    public Task<RemoveSearchAttributesResponse> RemoveSearchAttributesAsync(RemoveSearchAttributesRequest req, RpcOptions? options = null) =>
        CallAsync("RemoveSearchAttributes", req, RemoveSearchAttributesResponse.Parser, options);
}
