using System.Text;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;

namespace Alt.Tests.Infra.Temporalio;

public sealed class EnvConfigTests : IDisposable
{
    private const string Profiles = """
        # two profiles
        [profile.default]
        address = "default:7233"
        namespace = "first"

        [profile.cloud]
        address = "cloud:7233"
        api_key = "secret"
        [profile.cloud.tls]
        server_name = "cloud.example.org"
        [profile.cloud.grpc_meta]
        team = "blue"

        [profile.plain]
        address = "plain:7233"
        [profile.plain.tls]
        disabled = true
        """;

    private readonly string certificate = Path.GetTempFileName();

    [Fact]
    public void A_profile_gives_address_namespace_key_and_TLS()
    {
        var options = Load(Profiles, "cloud");

        Assert.Equal(("cloud:7233", "default", "secret"), (options.TargetHost, options.Namespace, options.ApiKey));
        Assert.Equal("cloud.example.org", options.Tls?.Domain);
        Assert.Equal("blue", Assert.Single(options.RpcMetadata!, m => m.Key == "team").Value);
    }

    [Fact]
    public void Variables_go_before_the_profile()
    {
        File.WriteAllText(certificate, "PEM");

        var options = Load(Profiles, null, new()
        {
            ["TEMPORAL_NAMESPACE"] = "second",
            ["TEMPORAL_TLS_CLIENT_CERT_PATH"] = certificate,
            ["TEMPORAL_TLS_CLIENT_KEY_DATA"] = "KEY",
            ["TEMPORAL_GRPC_META_X_TEAM"] = "red",
        });

        Assert.Equal(("default:7233", "second"), (options.TargetHost, options.Namespace));
        Assert.Equal(("PEM", "KEY"), (Encoding.UTF8.GetString(options.Tls!.ClientCert!), Encoding.UTF8.GetString(options.Tls.ClientPrivateKey!)));
        Assert.Equal("red", Assert.Single(options.RpcMetadata!, m => m.Key == "x-team").Value);
    }

    [Theory]
    [InlineData("default", null, false)]
    [InlineData("default", "true", true)]
    [InlineData("cloud", null, true)]
    [InlineData("cloud", "false", false)]
    [InlineData("plain", null, false)]
    public void TLS_follows_the_key_unless_it_is_set(string profile, string? variable, bool expected)
    {
        var options = Load(Profiles, profile, variable is null ? [] : new() { ["TEMPORAL_TLS"] = variable });

        Assert.Equal(expected, options.Tls is not null);
    }

    [Fact]
    public void The_variables_name_file_and_profile()
    {
        File.WriteAllText(certificate, Profiles);

        var options = ClientEnvConfig.LoadClientConnectOptions(new()
        {
            OverrideEnvVars = new() { ["TEMPORAL_CONFIG_FILE"] = certificate, ["TEMPORAL_PROFILE"] = "plain" },
        });

        Assert.Equal("plain:7233", options.TargetHost);
    }

    [Fact]
    public void Without_file_and_variables_there_is_no_address() =>
        Assert.Null(ClientEnvConfig.LoadClientConnectOptions(new() { DisableFile = true, OverrideEnvVars = [] }).TargetHost);

    [Theory]
    [InlineData("nowhere", Profiles, "no profile 'nowhere'")]
    [InlineData("default", "[profile.default]\naddress", "Cannot read")]
    [InlineData("default", "[profile.default.tls]\nclient_key_data = \"\"\"\nPEM = 1", "one plain value on one line")]
    [InlineData("default", "[profile.default.tls]\nclient_cert_path = \"/no/such/file\"", "tls.client_cert_path")]
    public void What_cannot_be_used_is_said(string profile, string file, string expected) =>
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => Load(file, profile)).Message, StringComparison.Ordinal);

    public void Dispose() => File.Delete(certificate);

    private static TemporalClientConnectOptions Load(string file, string? profile, Dictionary<string, string>? variables = null) =>
        ClientEnvConfig.LoadClientConnectOptions(new() { ConfigSource = DataSource.FromUTF8String(file), Profile = profile, OverrideEnvVars = variables ?? [] });
}
