using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Exceptions;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>
/// A gRPC server whose answers the test writes, for what a real server does not do on command: vanish, refuse, ask for certificates. Polls without
/// an answer stay open until the server stops.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Func<byte[], HttpContext, Task<IMessage>>> answers = new();
    private readonly WebApplication app;

    private ScriptedServer(int port, X509Certificate2? certificate, X509Certificate2? clientAuthority)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (certificate is not null)
            {
                listen.UseHttps(certificate, https =>
                {
                    https.ClientCertificateMode = clientAuthority is null ? ClientCertificateMode.NoCertificate : ClientCertificateMode.RequireCertificate;
                    https.ClientCertificateValidation = (client, _, _) => client.Issuer == clientAuthority?.Subject;
                });
            }
        }));
        app = builder.Build();
        app.Run(AnswerAsync);
        On<GetSystemInfoRequest>("GetSystemInfo", _ => new GetSystemInfoResponse { Capabilities = new() });
        On<DescribeNamespaceRequest>("DescribeNamespace", _ => new DescribeNamespaceResponse());
        On<ShutdownWorkerRequest>("ShutdownWorker", _ => new ShutdownWorkerResponse());
    }

    public int Port { get; private set; }

    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Names of the calls that came, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    public static async Task<ScriptedServer> StartAsync(int port = 0, X509Certificate2? certificate = null, X509Certificate2? clientAuthority = null)
    {
        var server = new ScriptedServer(port, certificate, clientAuthority);
        await server.app.StartAsync();
        server.Port = new Uri(server.app.Urls.Single()).Port;
        return server;
    }

    public void On<TRequest>(string method, Func<TRequest, IMessage> answer)
        where TRequest : IMessage<TRequest>, new() => On<TRequest>(method, (request, _) => Task.FromResult(answer(request)));

    public void On<TRequest>(string method, Func<TRequest, HttpContext, Task<IMessage>> answer)
        where TRequest : IMessage<TRequest>, new() => answers[method] = (body, http) =>
        {
            var request = new TRequest();
            request.MergeFrom(body);
            return answer(request, http);
        };

    public async ValueTask DisposeAsync()
    {
        // Open polls must not hold up the end.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var method = http.Request.Path.Value!.Split('/')[^1];
        Calls.Enqueue(method);
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        http.Response.ContentType = "application/grpc";
        try
        {
            var answer = answers.TryGetValue(method, out var script) ? await script(body.ToArray()[5..], http) : await NeverAsync(http);
            var frame = new byte[5 + answer.CalculateSize()];
            BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), frame.Length - 5);
            answer.WriteTo(frame.AsSpan(5));
            await http.Response.Body.WriteAsync(frame);
            http.Response.AppendTrailer("grpc-status", "0");
        }
        catch (RpcException e)
        {
            http.Response.AppendTrailer("grpc-status", ((int)e.Code).ToString(CultureInfo.InvariantCulture));
            http.Response.AppendTrailer("grpc-message", Uri.EscapeDataString(e.Message));
        }
        catch (OperationCanceledException)
        {
            http.Abort();
        }
    }

    private static async Task<IMessage> NeverAsync(HttpContext http)
    {
        await Task.Delay(Timeout.Infinite, http.RequestAborted);
        throw new OperationCanceledException();
    }
}
