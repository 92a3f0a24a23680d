using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Temporalio.Api.ErrorDetails.V1;
using TemporalServer.Runtime;

namespace TemporalServer.Serving;

/// <summary>Checks that every request with a namespace must pass before it reaches its handler.</summary>
internal sealed class RequestGate(Namespaces namespaces)
{
    private const string WorkflowService = "/temporal.api.workflowservice.v1.WorkflowService/";

    private static readonly HashSet<string> WithOwnRules =
    [
        $"{WorkflowService}RegisterNamespace", $"{WorkflowService}DescribeNamespace",
        $"{WorkflowService}UpdateNamespace", $"{WorkflowService}DeleteNamespace",
    ];

    /// <param name="method">The RPC as <c>/service/name</c>.</param>
    /// <exception cref="RpcError">INVALID_ARGUMENT or NOT_FOUND.</exception>
    public void Check(string method, IMessage request)
    {
        if (WithOwnRules.Contains(method) || !method.StartsWith(WorkflowService, StringComparison.Ordinal)
            || request.Descriptor.FindFieldByName("namespace") is not { FieldType: FieldType.String } field)
        {
            return;
        }

        var name = (string)field.Accessor.GetValue(request);
        if (name.Length == 0)
        {
            throw RpcError.InvalidArgument("Namespace not set on request.");
        }

        if (!namespaces.Exists(name))
        {
            throw new RpcError(StatusCode.NotFound, $"Namespace {name} is not found.", new NamespaceNotFoundFailure { Namespace = name });
        }
    }
}
