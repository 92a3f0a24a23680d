using Google.Protobuf;
using Google.Protobuf.Reflection;
using Temporalio.Api.ErrorDetails.V1;
using TemporalServer.Runtime;

namespace TemporalServer.Grpc;

/// <summary>What every request with a namespace must fulfil before it reaches its handler.</summary>
internal sealed class RequestGate(Namespaces namespaces)
{
    private static readonly HashSet<string> WithOwnRules = ["RegisterNamespace", "DescribeNamespace", "UpdateNamespace", "DeleteNamespace"];

    /// <exception cref="RpcError">INVALID_ARGUMENT or NOT_FOUND.</exception>
    public void Check(RpcMethod rpc, IMessage request)
    {
        if (WithOwnRules.Contains(rpc.Method.Name)
            || rpc.Method.InputType.FindFieldByName("namespace") is not { FieldType: FieldType.String } field
            || rpc.Method.Service.FullName.Contains("operatorservice", StringComparison.Ordinal))
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
