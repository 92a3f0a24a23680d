using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Runtime;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>Namespaces and the server itself.</summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<NamespaceRpcs>), "Bind")]
internal class NamespaceRpcs(Namespaces namespaces)
{
    /// <summary>The version of Temporal's server whose behaviour this one follows; clients show and compare it.</summary>
    public const string ServerVersion = "1.29.0";

    public virtual Task<GetSystemInfoResponse> GetSystemInfo(GetSystemInfoRequest request, ServerCallContext call) =>
        Task.FromResult(new GetSystemInfoResponse
        {
            ServerVersion = ServerVersion,
            Capabilities = new()
            {
                SignalAndQueryHeader = true,
                InternalErrorDifferentiation = true,
                ActivityFailureIncludeHeartbeat = true,
                EncodedFailureAttributes = true,
                UpsertMemo = true,
                SdkMetadata = true,
                CountGroupByExecutionStatus = true,
            },
        });

    public virtual Task<GetClusterInfoResponse> GetClusterInfo(GetClusterInfoRequest request, ServerCallContext call) =>
        Task.FromResult(new GetClusterInfoResponse
        {
            ServerVersion = ServerVersion,
            ClusterId = "embedded",
            ClusterName = "active",
            VersionInfo = new() { Current = new() { Version = ServerVersion } },
            HistoryShardCount = 1,
            PersistenceStore = "postgres",
            VisibilityStore = "postgres",
        });

    public virtual Task<DescribeNamespaceResponse> DescribeNamespace(DescribeNamespaceRequest request, ServerCallContext call) =>
        Task.FromResult(namespaces.Find(request.Namespace, request.Id));

    public virtual Task<ListNamespacesResponse> ListNamespaces(ListNamespacesRequest request, ServerCallContext call)
    {
        // The token is the last name of the previous page.
        var after = request.NextPageToken.ToStringUtf8();
        var size = request.PageSize > 0 ? request.PageSize : 100;
        DescribeNamespaceResponse[] page =
            [.. namespaces.All.Where(n => string.CompareOrdinal(n.NamespaceInfo.Name, after) > 0).Take(size)];
        var response = new ListNamespacesResponse();
        response.Namespaces.Add(page);
        if (page.Length == size)
        {
            response.NextPageToken = ByteString.CopyFromUtf8(page[^1].NamespaceInfo.Name);
        }

        return Task.FromResult(response);
    }

    public virtual async Task<RegisterNamespaceResponse> RegisterNamespace(RegisterNamespaceRequest request, ServerCallContext call)
    {
        await namespaces.RegisterAsync(request);
        return new();
    }

    public virtual async Task<UpdateNamespaceResponse> UpdateNamespace(UpdateNamespaceRequest request, ServerCallContext call)
    {
        var ns = namespaces.Find(request.Namespace, "").Clone();
        if (request.UpdateInfo is { } info)
        {
            ns.NamespaceInfo.Description = info.Description.Length > 0 ? info.Description : ns.NamespaceInfo.Description;
            ns.NamespaceInfo.OwnerEmail = info.OwnerEmail.Length > 0 ? info.OwnerEmail : ns.NamespaceInfo.OwnerEmail;
            foreach ((var key, var value) in info.Data)
            {
                ns.NamespaceInfo.Data[key] = value;
            }
        }

        if (request.Config?.WorkflowExecutionRetentionTtl is { } retention)
        {
            ns.Config.WorkflowExecutionRetentionTtl = retention;
        }

        await namespaces.SaveAsync(ns);
        return new() { NamespaceInfo = ns.NamespaceInfo, Config = ns.Config, ReplicationConfig = ns.ReplicationConfig };
    }
}
