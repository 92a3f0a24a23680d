using System.Buffers.Binary;
using System.Net;
using Google.Protobuf;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>What a call was answered with instead of a response.</summary>
public sealed class RawRpcException(int status, string message) : Exception($"{status}: {message}")
{
    public int Status { get; } = status;
}

/// <summary>gRPC by hand over HttpClient: what the server's tests need and nothing more, so that they depend on no SDK.</summary>
public sealed class RawClient(string address) : IDisposable
{
    private readonly HttpClient http = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        BaseAddress = new Uri($"http://{address}"),
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Calls the WorkflowService's RPC that the request's name tells.</summary>
    /// <exception cref="RawRpcException">The answer is an error.</exception>
    public async Task<TResponse> CallAsync<TResponse>(IMessage request, CancellationToken cancellation = default)
        where TResponse : IMessage<TResponse>, new()
    {
        string name = request.Descriptor.Name[..^"Request".Length];
        return await CallAsync<TResponse>($"/temporal.api.workflowservice.v1.WorkflowService/{name}", request, cancellation);
    }

    public async Task<TResponse> CallAsync<TResponse>(string path, IMessage request, CancellationToken cancellation = default)
        where TResponse : IMessage<TResponse>, new()
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame(request)),
        };
        message.Content.Headers.ContentType = new("application/grpc");
        message.Headers.TE.Add(new("trailers"));
        message.Headers.Add("grpc-timeout", "30S");
        using HttpResponseMessage response = await http.SendAsync(message, cancellation);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation);
        int status = int.Parse(response.TrailingHeaders.GetValues("grpc-status").Single());
        return status == 0
            ? new MessageParser<TResponse>(() => new TResponse()).ParseFrom(body.AsSpan(5).ToArray())
            : throw new RawRpcException(status, Uri.UnescapeDataString(response.TrailingHeaders.GetValues("grpc-message").Single()));
    }

    public void Dispose() => http.Dispose();

    private static byte[] Frame(IMessage message)
    {
        byte[] bytes = message.ToByteArray();
        var frame = new byte[5 + bytes.Length];
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), (uint)bytes.Length);
        bytes.CopyTo(frame, 5);
        return frame;
    }
}
