using System.Text;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Ini;
using Temporalio.Client;

namespace Temporalio.Common.EnvConfig;

/// <summary>
/// Connection settings as all of Temporal's tools read them: the variables <c>TEMPORAL_*</c> over a profile of
/// <c>~/.config/temporalio/temporal.toml</c> (or of the file that <c>TEMPORAL_CONFIG_FILE</c> names).
/// </summary>
public static class ClientEnvConfig
{
    private const string MetaVariables = "TEMPORAL_GRPC_META_", MetaKeys = "grpc_meta.";

    /// <summary>Each setting's variable and its key in a profile.</summary>
    private static readonly (string Variable, string Key)[] Settings =
    [
        ("TEMPORAL_ADDRESS", "address"),
        ("TEMPORAL_NAMESPACE", "namespace"),
        ("TEMPORAL_API_KEY", "api_key"),
        ("TEMPORAL_TLS_CLIENT_CERT_PATH", "tls.client_cert_path"),
        ("TEMPORAL_TLS_CLIENT_CERT_DATA", "tls.client_cert_data"),
        ("TEMPORAL_TLS_CLIENT_KEY_PATH", "tls.client_key_path"),
        ("TEMPORAL_TLS_CLIENT_KEY_DATA", "tls.client_key_data"),
        ("TEMPORAL_TLS_SERVER_CA_CERT_PATH", "tls.server_ca_cert_path"),
        ("TEMPORAL_TLS_SERVER_CA_CERT_DATA", "tls.server_ca_cert_data"),
        ("TEMPORAL_TLS_SERVER_NAME", "tls.server_name"),
    ];

    /// <summary>Options of a client by file and environment; without an address where neither has one.</summary>
    /// <exception cref="InvalidOperationException">The file is malformed, lacks the profile that was asked for, or names a file that cannot be read.</exception>
    public static TemporalClientConnectOptions LoadClientConnectOptions(ProfileLoadOptions? options = null)
    {
        options ??= new();
        if (options is { DisableFile: true, DisableEnv: true })
        {
            throw new InvalidOperationException("Cannot disable both file and environment");
        }

        var variables = options.DisableEnv ? [] : options.OverrideEnvVars ?? SystemVariables();
        var profile = options.DisableFile ? [] : ReadProfile(options, variables);
        Overlay(profile, variables);
        return ToOptions(profile);
    }

    private static Dictionary<string, string> SystemVariables() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");

    private static Dictionary<string, string> ReadProfile(ProfileLoadOptions options, Dictionary<string, string> variables)
    {
        var asked = options.Profile ?? NonEmpty(variables.GetValueOrDefault("TEMPORAL_PROFILE"));
        var named = options.ConfigSource ?? (NonEmpty(variables.GetValueOrDefault("TEMPORAL_CONFIG_FILE")) is { } path ? DataSource.FromPath(path) : null);
        var standard = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "temporalio", "temporal.toml");
        var source = named ?? (File.Exists(standard) ? DataSource.FromPath(standard) : null);
        var prefix = $"profile.{asked ?? "default"}";
        var profile = source is null ? [] : Read(source, prefix);
        return profile.Count > 0 || asked is null
            ? profile
            : throw new InvalidOperationException($"{source?.Name ?? standard} has no profile '{asked}', expected a section [{prefix}]");
    }

    // Profiles are TOML that is INI as well: sections, and values on one line. So the framework's reader of INI files does.
    private static Dictionary<string, string> Read(DataSource source, string prefix)
    {
        try
        {
            using var stream = source.Open();
            var profile = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var (name, value) in IniStreamConfigurationProvider.Read(stream))
            {
                var key = name.Replace(ConfigurationPath.KeyDelimiter, ".", StringComparison.Ordinal);
                if (key.StartsWith(prefix + ".", StringComparison.OrdinalIgnoreCase))
                {
                    profile[key[(prefix.Length + 1)..]] = Plain(value, source.Name, key);
                }
            }

            return profile;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new InvalidOperationException($"Cannot read {source.Name}: {e.Message}", e);
        }
    }

    private static string Plain(string? value, string file, string key) =>
        value is null || value.StartsWith('"') || value.StartsWith('\'') || value.Contains('\\', StringComparison.Ordinal)
            ? throw new InvalidOperationException($"{file}: {key} must be one plain value on one line; put certificates into files and name those")
            : value;

    private static void Overlay(Dictionary<string, string> profile, Dictionary<string, string> variables)
    {
        foreach (var (variable, key) in Settings)
        {
            if (NonEmpty(variables.GetValueOrDefault(variable)) is { } value)
            {
                profile[key] = value;
            }
        }

        // The variable turns TLS on, the file's key turns it off.
        if (bool.TryParse(variables.GetValueOrDefault("TEMPORAL_TLS"), out var tls))
        {
            profile["tls.disabled"] = tls ? "false" : "true";
        }

        foreach (var (variable, value) in variables.Where(v => v.Key.StartsWith(MetaVariables, StringComparison.Ordinal)))
        {
            var key = MetaKeys + variable[MetaVariables.Length..].Replace('_', '-').ToLowerInvariant();
            if (value.Length == 0)
            {
                profile.Remove(key);
            }
            else
            {
                profile[key] = value;
            }
        }
    }

    private static TemporalClientConnectOptions ToOptions(Dictionary<string, string> profile)
    {
        var meta = profile.Where(s => s.Key.StartsWith(MetaKeys, StringComparison.OrdinalIgnoreCase)).ToDictionary(s => s.Key[MetaKeys.Length..], s => s.Value);
        return new()
        {
            TargetHost = profile.GetValueOrDefault("address"),
            Namespace = profile.GetValueOrDefault("namespace") ?? "default",
            ApiKey = profile.GetValueOrDefault("api_key"),
            Tls = ToTls(profile),
            RpcMetadata = meta.Count > 0 ? meta : null,
        };
    }

    private static TlsOptions? ToTls(Dictionary<string, string> profile)
    {
        var disabled = profile.GetValueOrDefault("tls.disabled");
        var asked = profile.ContainsKey("api_key") || profile.Keys.Any(k => k.StartsWith("tls.", StringComparison.OrdinalIgnoreCase));
        return disabled == "true" || !asked ? null : new()
        {
            ServerRootCACert = Bytes(profile, "tls.server_ca_cert"),
            ClientCert = Bytes(profile, "tls.client_cert"),
            ClientPrivateKey = Bytes(profile, "tls.client_key"),
            Domain = profile.GetValueOrDefault("tls.server_name"),
        };
    }

    private static byte[]? Bytes(Dictionary<string, string> profile, string key)
    {
        if (profile.TryGetValue(key + "_data", out var data))
        {
            return Encoding.UTF8.GetBytes(data);
        }

        if (!profile.TryGetValue(key + "_path", out var path))
        {
            return null;
        }

        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"Cannot read {key}_path: {e.Message}", e);
        }
    }

    private static string? NonEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;

    /// <summary>Where to look.</summary>
    public class ProfileLoadOptions : ICloneable
    {
        /// <summary>Name of the profile. Default: <c>TEMPORAL_PROFILE</c>, else <c>default</c>.</summary>
        public string? Profile { get; set; }

        /// <summary>The file of profiles. Default: <c>TEMPORAL_CONFIG_FILE</c>, else the user's own.</summary>
        public DataSource? ConfigSource { get; set; }

        /// <summary>Whether to leave out the file.</summary>
        public bool DisableFile { get; set; }

        /// <summary>Whether to leave out the environment.</summary>
        public bool DisableEnv { get; set; }

        /// <summary>Takes the place of the process's own variables.</summary>
        public Dictionary<string, string>? OverrideEnvVars { get; set; }

        /// <summary>A shallow copy.</summary>
        public virtual object Clone() => MemberwiseClone();
    }
}
