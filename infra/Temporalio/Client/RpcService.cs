using Google.Protobuf;

namespace Temporalio.Client;

/// <summary>Raw calls of one gRPC service.</summary>
public abstract class RpcService
{
    private readonly TemporalConnection connection;

    private protected RpcService(TemporalConnection connection, string fullName) => (this.connection, FullName) = (connection, fullName);

    /// <summary>Full name of the service.</summary>
    public string FullName { get; }

    private protected Task<T> CallAsync<T>(string method, IMessage request, MessageParser<T> parser, RpcOptions? options)
        where T : IMessage<T> => connection.CallAsync($"/{FullName}/{method}", request, parser, options);

    internal Task<T> CallPatientlyAsync<T>(string method, IMessage request, MessageParser<T> parser, RpcOptions options)
        where T : IMessage<T> => connection.CallAsync($"/{FullName}/{method}", request, parser, options, Grpc.RpcRetry.Patiently);
}
