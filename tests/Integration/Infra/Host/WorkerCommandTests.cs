using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using TemporalServer;

namespace Alt.Tests.Infra.Host;

/// <summary>The worker as a user of Temporal starts it, for an external server.</summary>
public sealed class WorkerCommandTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    [Fact]
    public async Task A_worker_reaches_a_server_with_client_certificates_and_a_key_by_a_profile()
    {
        await using var installation = new Installation();
        using var authority = Certificates.Authority();
        using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Certificates.Leaf(authority, "localhost", serverKey);
        using var mine = Certificates.Leaf(authority, "worker", clientKey);
        var ca = Write("ca.pem", Certificates.Pem(authority));
        using var tls = new ServerTls(Write("server.pem", Certificates.Pem(certificate)), Write("server.key", Pem(serverKey)), ca);
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = await postgres.CreateDatabaseAsync(), Tls = tls, ApiKey = "open sesame" });
        installation.Variables["TEMPORAL_CONFIG_FILE"] = Write("temporal.toml", Encoding.UTF8.GetBytes($"""
            [profile.secure]
            address = "{server.Address}"
            api_key = "open sesame"
            [profile.secure.tls]
            server_name = "localhost"
            server_ca_cert_path = "{ca}"
            client_cert_path = "{Write("client.pem", Certificates.Pem(mine))}"
            client_key_path = "{Write("client.key", Pem(clientKey))}"
            """));

        await using var worker = installation.Start("worker", "--temporal-profile", "secure");
        await worker.SaysAsync($"working for the Temporal server {server.Address}");
        await worker.InterruptAsync();

        var end = await worker.EndAsync();
        Assert.Equal(0, end.ExitCode);
        Assert.Equal("", end.Output);

        string Write(string name, byte[] content)
        {
            var path = installation.PathOf(name);
            File.WriteAllBytes(path, content);
            return path;
        }
    }

    [Fact]
    public async Task A_worker_without_the_key_of_its_server_ends_with_one_line()
    {
        await using var installation = new Installation();
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = await postgres.CreateDatabaseAsync(), ApiKey = "open sesame" });

        var end = await installation.RunAsync("worker", "--temporal", server.Address);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains($"{server.Address} refuses this client", end.OnlyLine, StringComparison.Ordinal);
        Assert.Contains("TEMPORAL_API_KEY", end.OnlyLine, StringComparison.Ordinal);
        Assert.Equal("", end.Output);
    }

    [Theory]
    [InlineData("TEMPORAL_TLS", "true", "TEMPORAL_TLS_")]
    [InlineData("TEMPORAL_TLS_CLIENT_CERT_DATA", "half of a pair", "TEMPORAL_TLS_")]
    [InlineData("TEMPORAL_TLS_CLIENT_CERT_PATH", "/no/such/file", "/no/such/file")]
    public async Task A_worker_whose_settings_cannot_work_ends_with_one_line(string variable, string value, string expected)
    {
        await using var installation = new Installation { Variables = { [variable] = value } };
        await using var server = await EmbeddedServer.StartAsync(new() { ConnectionString = await postgres.CreateDatabaseAsync() });

        var end = await installation.RunAsync("worker", "--temporal", server.Address);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains(expected, end.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_serves_the_metrics_of_its_core_to_prometheus()
    {
        await using var installation = new Installation();
        await using var server = await EmbeddedServer.StartAsync(new() { ConnectionString = await postgres.CreateDatabaseAsync() });
        var address = FreeAddress();
        await using var worker = installation.Start("worker", "--temporal", server.Address, "--metrics-prometheus", address.ToString());
        await worker.SaysAsync("working for");

        using var http = new HttpClient();
        await Wait.ForAsync(
            async () => (await http.GetStringAsync($"http://{address}/metrics")).Contains("temporal_num_pollers", StringComparison.Ordinal),
            "a count of pollers");
        var second = await installation.RunAsync("worker", "--temporal", server.Address);

        Assert.Contains("another worker of this folder runs", second.OnlyLine, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_for_metrics_that_is_taken_is_one_line()
    {
        await using var installation = new Installation();
        await using var server = await EmbeddedServer.StartAsync(new() { ConnectionString = await postgres.CreateDatabaseAsync() });
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var end = await installation.RunAsync(
            "worker", "--temporal", server.Address, "--metrics-prometheus", taken.LocalEndpoint.ToString()!);

        Assert.Equal(2, end.ExitCode);
        Assert.Contains($"--metrics-prometheus {taken.LocalEndpoint}", end.OnlyLine, StringComparison.Ordinal);
    }

    private static IPEndPoint FreeAddress()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return (IPEndPoint)probe.LocalEndpoint;
    }

    private static byte[] Pem(ECDsa key) => Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
}
