using System.Net;
using System.Security.Cryptography;
using System.Text;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using TemporalServer;

namespace Alt.Tests.Infra.TemporalServer;

/// <summary>Which clients may connect: TLS, client certificates, the API key.</summary>
public sealed class AccessTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task Calls_without_the_key_are_refused()
    {
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = await postgres.CreateDatabaseAsync(), ApiKey = "open sesame", HttpPort = 0 });
        using var http = new HttpClient { BaseAddress = new Uri($"http://{server.HttpAddress}") };

        using var stranger = new RawClient(server.Address);

        var missing = await Assert.ThrowsAsync<Grpc.Core.RpcException>(
            () => stranger.CallAsync<GetSystemInfoResponse>(new GetSystemInfoRequest()));
        var wrong = await Assert.ThrowsAsync<InvalidOperationException>(() => ConnectAsync(server, "open barley"));
        using var json = await http.GetAsync("/api/v1/system-info");
        http.DefaultRequestHeaders.Authorization = new("Bearer", "open sesame");
        using var allowed = await http.GetAsync("/api/v1/system-info");

        Assert.Equal("PermissionDenied: Request unauthorized.", missing.Text());
        Assert.Contains("Request unauthorized.", wrong.Message, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.OK), (json.StatusCode, allowed.StatusCode));
        Assert.True((await ConnectAsync(server, "open sesame")).Connection.IsConnected);
    }

    [Fact]
    public async Task With_tls_and_a_client_authority_only_its_clients_connect()
    {
        using var authority = Certificates.Authority();
        using var stranger = Certificates.Authority();
        using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificates.Leaf(authority, "localhost", serverKey);
        using var known = Certificates.Leaf(authority, "worker", clientKey);
        using var unknown = Certificates.Leaf(stranger, "worker", clientKey);
        var folder = Directory.CreateTempSubdirectory("alt-tls-");
        string File(string name, byte[] pem)
        {
            var path = Path.Combine(folder.FullName, name);
            System.IO.File.WriteAllBytes(path, pem);
            return path;
        }

        using var tls = new ServerTls(
            File("server.pem", Certificates.Pem(certificate)),
            File("server.key", Encoding.ASCII.GetBytes(serverKey.ExportPkcs8PrivateKeyPem())),
            File("ca.pem", Certificates.Pem(authority)));
        folder.Delete(recursive: true);
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = await postgres.CreateDatabaseAsync(), Tls = tls });
        TlsOptions With(byte[]? clientCertificate) => new()
        {
            ServerRootCACert = Certificates.Pem(authority),
            Domain = "localhost",
            ClientCert = clientCertificate,
            ClientPrivateKey = clientCertificate is null ? null : Encoding.ASCII.GetBytes(clientKey.ExportPkcs8PrivateKeyPem()),
        };

        Assert.True(
            (await TemporalClient.ConnectAsync(new(server.Address) { Tls = With(Certificates.Pem(known)) })).Connection.IsConnected);
        foreach (var refused in new[] { null, Certificates.Pem(unknown) })
        {
            var failed = await Assert.ThrowsAsync<InvalidOperationException>(
                () => TemporalClient.ConnectAsync(new(server.Address) { Tls = With(refused) }));
            Assert.StartsWith("Connection failed", failed.Message, StringComparison.Ordinal);
        }
    }

    private static Task<TemporalClient> ConnectAsync(EmbeddedServer server, string? key) =>
        // With a key the official client wants TLS unless it is told otherwise.
        TemporalClient.ConnectAsync(new(server.Address) { ApiKey = key, Tls = new() { Disabled = true } });
}
