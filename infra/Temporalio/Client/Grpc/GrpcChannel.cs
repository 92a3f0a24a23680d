using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Temporalio.Exceptions;

namespace Temporalio.Client.Grpc;

/// <summary>Unary gRPC calls over HTTP/2; without TLS the server must know HTTP/2 without negotiation, as gRPC servers do.</summary>
internal sealed class GrpcChannel : IDisposable
{
    // A long poll is answered before its deadline; the margin covers a slow network.
    private static readonly TimeSpan DeadlineMargin = TimeSpan.FromSeconds(5);

    private readonly HttpClient http;

    public GrpcChannel(Uri address, TlsOptions? tls, KeepAliveOptions? keepAlive)
    {
        Address = address;
        http = new HttpClient(TlsHandler.Create(address, tls, keepAlive))
        {
            BaseAddress = TlsHandler.RequestAddress(address, tls),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = System.Threading.Timeout.InfiniteTimeSpan,
        };
    }

    public Uri Address { get; }

    public void Dispose() => http.Dispose();

    /// <exception cref="RpcException">The server refused or could not be reached (<c>Unavailable</c>), or the time was up.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    public async Task<T> CallAsync<T>(
        string path,
        IMessage request,
        MessageParser<T> parser,
        IEnumerable<KeyValuePair<string, string>> headers,
        TimeSpan? timeout,
        CancellationToken cancellationToken)
        where T : IMessage<T>
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout is { } limit)
        {
            deadline.CancelAfter(limit + DeadlineMargin);
        }
        try
        {
            using var message = CreateRequest(path, request, headers, timeout);
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
            var body = await response.Content.ReadAsByteArrayAsync(deadline.Token);
            GrpcStatus.ThrowIfFailed(response);
            return parser.ParseFrom(GrpcFrame.Read(body, response.Headers));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RpcException(RpcException.StatusCode.DeadlineExceeded, $"{path} took longer than {timeout}", rawStatus: null);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidProtocolBufferException)
        {
            throw new RpcException(RpcException.StatusCode.Unavailable, $"Server at {Address.Authority} cannot be reached: {e.GetBaseException().Message}", e);
        }
    }

    private static HttpRequestMessage CreateRequest(
        string path, IMessage request, IEnumerable<KeyValuePair<string, string>> headers, TimeSpan? timeout)
    {
        var content = new ByteArrayContent(GrpcFrame.Write(request));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var message = new HttpRequestMessage(HttpMethod.Post, path) { Content = content, Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        message.Headers.TryAddWithoutValidation("grpc-accept-encoding", "identity,gzip");
        if (timeout is { } limit)
        {
            message.Headers.TryAddWithoutValidation("grpc-timeout", Math.Max(1, (long)limit.TotalMilliseconds).ToString(CultureInfo.InvariantCulture) + "m");
        }
        foreach (var (name, value) in headers)
        {
            message.Headers.Remove(name);
            message.Headers.TryAddWithoutValidation(name, value);
        }
        return message;
    }
}
