using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Alt.Tests;

/// <summary>Temporal's RPCs one by one, without an SDK that retries, waits or hides them.</summary>
public sealed class RawClient : IDisposable
{
    private const string WorkflowService = "temporal.api.workflowservice.v1.WorkflowService";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly GrpcChannel _channel;
    private readonly CallInvoker _calls;

    /// <param name="address">The server's <c>host:port</c>.</param>
    public RawClient(string address)
    {
        _channel = GrpcChannel.ForAddress($"http://{address}", new GrpcChannelOptions
        {
            // Tests kill servers and start the next ones at the same address.
            InitialReconnectBackoff = TimeSpan.FromMilliseconds(50),
            MaxReconnectBackoff = TimeSpan.FromMilliseconds(200),
            // The server decides what it accepts.
            MaxSendMessageSize = null,
        });
        _calls = _channel.CreateCallInvoker();
    }

    /// <summary>Calls the WorkflowService's RPC that the request's type names.</summary>
    /// <exception cref="RpcException">The answer is an error.</exception>
    public Task<TResponse> CallAsync<TResponse>(IMessage request, CancellationToken cancellation = default)
        where TResponse : class, IMessage<TResponse>, new() =>
        CallAsync<TResponse>($"/{WorkflowService}/{request.Descriptor.Name[..^"Request".Length]}", request, cancellation);

    /// <param name="path">The RPC as <c>/service/name</c>.</param>
    /// <exception cref="RpcException">The answer is an error.</exception>
    public async Task<TResponse> CallAsync<TResponse>(string path, IMessage request, CancellationToken cancellation = default)
        where TResponse : class, IMessage<TResponse>, new()
    {
        if (path.Split('/') is not ["", var service, var name])
        {
            throw new ArgumentException($"{path} is not /service/name", nameof(path));
        }

        var parser = new MessageParser<TResponse>(() => new TResponse());
        var method = new Method<IMessage, TResponse>(
            MethodType.Unary, service, name,
            Marshallers.Create<IMessage>(message => message.ToByteArray(), _ => throw new NotSupportedException()),
            Marshallers.Create<TResponse>(message => message.ToByteArray(), parser.ParseFrom));
        var options = new CallOptions(deadline: DateTime.UtcNow + Deadline, cancellationToken: cancellation);
        return await _calls.AsyncUnaryCall(method, null, options, request);
    }

    public void Dispose() => _channel.Dispose();
}

/// <summary>How a call was refused.</summary>
public static class Refusals
{
    /// <summary>The status by its name, and its text: <c>NotFound: Namespace x is not found.</c></summary>
    public static string Text(this RpcException e) => $"{e.StatusCode}: {e.Status.Detail}";
}
