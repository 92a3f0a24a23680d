using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>TLS, mTLS, API keys, and servers that are away or busy.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task A_call_waits_for_a_server_that_is_not_up_yet()
    {
        int port;
        await using (var probe = await ScriptedServer.StartAsync())
        {
            port = probe.Port;
        }
        var connecting = TemporalClient.ConnectAsync(new($"127.0.0.1:{port}"));

        await using var server = await ScriptedServer.StartAsync(port);

        Assert.True((await connecting).Connection.IsConnected);
    }

    [Fact]
    public async Task A_busy_server_is_asked_again_and_a_wrong_request_is_not()
    {
        await using var server = await ScriptedServer.StartAsync();
        var client = await TemporalClient.ConnectAsync(new(server.Address));
        var refusals = 2;
        server.On<StartWorkflowExecutionRequest>("StartWorkflowExecution", _ => refusals-- > 0
            ? throw new RpcException(RpcException.StatusCode.ResourceExhausted, "busy", rawStatus: null)
            : new StartWorkflowExecutionResponse { RunId = "run" });
        server.On<TerminateWorkflowExecutionRequest>(
            "TerminateWorkflowExecution", _ => throw new RpcException(RpcException.StatusCode.NotFound, "no such workflow: \u00e9", rawStatus: null));

        var handle = await client.StartWorkflowAsync("Any", [], new("id", "queue"));
        var error = await Assert.ThrowsAsync<RpcException>(() => handle.TerminateAsync());

        Assert.Equal("run", handle.ResultRunId);
        Assert.Equal((RpcException.StatusCode.NotFound, "no such workflow: \u00e9"), (error.Code, error.Message));
        Assert.Equal(3, server.Calls.Count(call => call == "StartWorkflowExecution"));
        Assert.Equal(1, server.Calls.Count(call => call == "TerminateWorkflowExecution"));
    }

    [Fact]
    public async Task An_api_key_and_headers_go_with_every_call()
    {
        await using var server = await ScriptedServer.StartAsync();
        var seen = new List<string>();
        server.On<GetSystemInfoRequest>("GetSystemInfo", (_, http) =>
        {
            seen.AddRange([http.Request.Headers.Authorization.ToString(), http.Request.Headers["x-team"].ToString()]);
            return Task.FromResult<Google.Protobuf.IMessage>(new GetSystemInfoResponse());
        });

        await TemporalClient.ConnectAsync(new(server.Address) { ApiKey = "secret", RpcMetadata = [new("x-team", "blue")] });

        Assert.Equal(["Bearer secret", "blue"], seen);
    }

    [Fact]
    public async Task Tls_trusts_the_given_authority_only()
    {
        using var authority = Certificates.Authority();
        using var certificate = Certificates.Leaf(authority, "localhost");
        await using var server = await ScriptedServer.StartAsync(0, certificate);
        var trusting = new TlsOptions { ServerRootCACert = Certificates.Pem(authority), Domain = "localhost" };

        var client = await TemporalClient.ConnectAsync(new(server.Address) { Tls = trusting });

        Assert.True(client.Connection.IsConnected);
        var distrusting = TemporalClient.CreateLazy(new(server.Address) { Tls = new() { Domain = "localhost" } });
        var error = await Assert.ThrowsAsync<RpcException>(() => distrusting.WorkflowService.GetSystemInfoAsync(new()));
        Assert.Equal(RpcException.StatusCode.Unavailable, error.Code);
        Assert.Contains("certificate", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Mtls_shows_the_client_s_certificate()
    {
        using var authority = Certificates.Authority();
        using var certificate = Certificates.Leaf(authority, "localhost");
        using var key = ECDsa.Create();
        using var mine = Certificates.Leaf(authority, "worker", key);
        await using var server = await ScriptedServer.StartAsync(0, certificate, clientAuthority: authority);
        var tls = new TlsOptions { ServerRootCACert = Certificates.Pem(authority), Domain = "localhost" };

        var anonymous = TemporalClient.CreateLazy(new(server.Address) { Tls = tls });
        await Assert.ThrowsAsync<RpcException>(() => anonymous.WorkflowService.GetSystemInfoAsync(new()));

        var known = (TlsOptions)tls.Clone();
        known.ClientCert = Certificates.Pem(mine);
        known.ClientPrivateKey = Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem());
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Tls = known });
        Assert.True(client.Connection.IsConnected);
    }

    [Fact]
    public void A_certificate_without_its_key_is_refused_at_once() =>
        Assert.Throws<ArgumentException>(() => TemporalClient.CreateLazy(new("localhost:1") { Tls = new() { ClientCert = [1] } }));

    [Theory]
    [InlineData("not an address")]
    [InlineData("")]
    public void An_address_that_is_none_is_refused_at_once(string address) =>
        Assert.Throws<ArgumentException>(() => TemporalClient.CreateLazy(new(address)));
}
