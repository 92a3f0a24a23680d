using System.Text;
using Alt.Domain;
using Alt.Host;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;

namespace Alt.Tests.Infra.Temporal;

/// <summary>Profiles of temporal.toml and TEMPORAL_* variables, as users of Temporal's other tools have them.</summary>
public sealed class ProfileTests : IDisposable
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

    private readonly string _file = Path.GetTempFileName();

    [Fact]
    public void A_profile_gives_address_namespace_key_and_tls()
    {
        var options = Load(Profiles, "cloud");

        Assert.Equal(("cloud:7233", "default", "secret"), (options.TargetHost, options.Namespace, options.ApiKey));
        Assert.Equal("cloud.example.org", options.Tls?.Domain);
        Assert.Equal("blue", Assert.Single(options.RpcMetadata!, m => m.Key == "team").Value);
    }

    [Fact]
    public void Variables_go_before_the_profile()
    {
        File.WriteAllText(_file, "PEM");

        var options = Load(Profiles, null, new()
        {
            ["TEMPORAL_NAMESPACE"] = "second",
            ["TEMPORAL_TLS_CLIENT_CERT_PATH"] = _file,
            ["TEMPORAL_TLS_CLIENT_KEY_DATA"] = "KEY",
            ["TEMPORAL_GRPC_META_X_TEAM"] = "red",
        });

        Assert.Equal(("default:7233", "second"), (options.TargetHost, options.Namespace));
        Assert.Equal(
            ("PEM", "KEY"), (Encoding.UTF8.GetString(options.Tls!.ClientCert!), Encoding.UTF8.GetString(options.Tls.ClientPrivateKey!)));
        Assert.Equal("red", Assert.Single(options.RpcMetadata!, m => m.Key == "x-team").Value);
    }

    [Theory]
    [InlineData("default", null, false)]
    [InlineData("default", "true", true)]
    [InlineData("cloud", null, true)]
    [InlineData("cloud", "false", false)]
    [InlineData("plain", null, false)]
    public void Tls_follows_the_key_unless_it_is_set(string profile, string? variable, bool expected)
    {
        var options = Load(Profiles, profile, variable is null ? [] : new() { ["TEMPORAL_TLS"] = variable });

        Assert.Equal(expected, options.Tls is { Disabled: not true });
    }

    [Theory]
    [InlineData("nowhere", Profiles, "nowhere")]
    [InlineData("default", "[profile.default]\naddress", "")]
    [InlineData(
        "default", "[profile.default]\naddress = \"x:1\"\n[profile.default.tls]\nclient_cert_path = \"/no/such/file\"", "/no/such/file")]
    public void What_cannot_be_used_is_said_in_one_line(string profile, string content, string expected)
    {
        var refusal = Assert.Throws<InputException>(() => Load(content, profile)).Message;

        Assert.StartsWith("the settings of the Temporal server cannot be used: ", refusal, StringComparison.Ordinal);
        Assert.Contains(expected, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
    }

    [Fact]
    public void A_server_that_only_a_variable_names_is_told() =>
        Assert.Equal(
            ["using the Temporal server cloud:1, namespace default (TEMPORAL_ADDRESS)"],
            TemporalFlags.Notes(new() { TargetHost = "cloud:1" }, [], null, Of(("TEMPORAL_ADDRESS", "cloud:1"))));

    [Fact]
    public void Variables_that_override_a_named_profile_are_reported_and_keys_are_never_shown()
    {
        File.WriteAllText(_file, Profiles);

        var notes = TemporalFlags.Notes(new(), ["TEMPORAL_PROFILE"], "cloud", Of(
            ("TEMPORAL_ADDRESS", "other:1"), ("TEMPORAL_API_KEY", "hidden"), ("TEMPORAL_CONFIG_FILE", _file),
            ("TEMPORAL_NAMESPACE", "mine"), ("TEMPORAL_TLS_SERVER_NAME", "x")));

        Assert.Equal(
            [
                "TEMPORAL_ADDRESS overrides the profile: other:1 instead of cloud:7233",
                "TEMPORAL_API_KEY overrides the profile",
                "TEMPORAL_NAMESPACE overrides the profile: mine instead of default",
                "TEMPORAL_TLS_SERVER_NAME overrides the profile",
            ],
            notes);
    }

    [Fact]
    public void What_flags_say_needs_no_telling()
    {
        File.WriteAllText(_file, Profiles);

        Assert.Empty(TemporalFlags.Notes(
            new(), ["TEMPORAL_PROFILE", "TEMPORAL_ADDRESS"], "default",
            Of(("TEMPORAL_ADDRESS", "other:1"), ("TEMPORAL_CONFIG_FILE", _file), ("TEMPORAL_NAMESPACE", "first"))));
    }

    public void Dispose() => File.Delete(_file);

    private static Dictionary<string, string> Of(params (string Name, string Value)[] variables) => variables.ToDictionary(v => v.Name, v =>
        v.Value);

    private static TemporalClientConnectOptions Load(string content, string? profile, Dictionary<string, string>? variables = null) =>
        Alt.Host.TemporalConnection.OutsideOptions(
            new() { ConfigSource = DataSource.FromUTF8String(content), Profile = profile, OverrideEnvVars = variables ?? [] });
}
