using System.CommandLine;
using Alt.Domain;
using Temporalio.Client;

namespace Alt.Host;

/// <summary>
/// Which Temporal server a command uses: the embedded one, unless a flag or the environment names another. Its other settings
/// (namespace, TLS, API key) come from <c>TEMPORAL_*</c> or a profile, as for all of Temporal's tools; a key is never a flag, since all
/// users see those.
/// </summary>
internal sealed class TemporalFlags
{
    private const string AddressVariable = "TEMPORAL_ADDRESS", NamespaceVariable = "TEMPORAL_NAMESPACE",
        ProfileVariable = "TEMPORAL_PROFILE";
    private const string KeyVariable = "TEMPORAL_API_KEY", TlsVariables = "TEMPORAL_TLS", FileVariable = "TEMPORAL_CONFIG_FILE";

    private readonly Option<string?> _address = new("--temporal")
    {
        Description = $"Use this Temporal server instead of the embedded one. Default: {AddressVariable}, where it is set. TLS and API "
            + $"key: {TlsVariables}_…, {KeyVariable}.",
        HelpName = "HOST:PORT",
    };

    private readonly Option<string?> _namespace = new("--temporal-namespace")
    {
        Description = "Namespace on that server.",
        HelpName = "NAME"
    };
    private readonly Option<string?> _profile = new("--temporal-profile")
    {
        Description = "Take server, namespace, TLS and API key from this profile of temporal.toml.",
        HelpName = "NAME"
    };

    public TemporalFlags(Command command)
    {
        command.Options.Add(_address);
        command.Options.Add(_namespace);
        command.Options.Add(_profile);
    }

    /// <returns>HOST:PORT of an outside server; null for the embedded one.</returns>
    /// <exception cref="InputException">The flags or the profile name no server.</exception>
    public string? Read(ParseResult parsed)
    {
        var environment = Temporals();
        // As variables they reach the worker that this process starts.
        Set(AddressVariable, parsed.GetValue(_address));
        Set(NamespaceVariable, parsed.GetValue(_namespace));
        Set(ProfileVariable, parsed.GetValue(_profile));
        if (IsSet(AddressVariable) || IsSet(ProfileVariable))
        {
            var options = TemporalConnection.OutsideOptions();
            var server = options.TargetHost
                ?? throw new InputException("the Temporal profile has no address: add it to temporal.toml, or give --temporal HOST:PORT");
            foreach (var note in Notes(options, Flagged(parsed), Environment.GetEnvironmentVariable(ProfileVariable), environment))
            {
                Console.Error.WriteLine(note);
            }

            return server;
        }

        return parsed.GetValue(_namespace) is { } name
            ? throw new InputException(
                $"--temporal-namespace {name}: of which server? give --temporal HOST:PORT or --temporal-profile NAME too")
            : null;
    }

    /// <summary>
    /// One line for each choice that the environment makes and no flag: the server itself, and variables that override the profile.
    /// </summary>
    /// <param name="flagged">The variables whose values were given as flags.</param>
    /// <param name="profile">The profile that a flag or a variable names; null for none.</param>
    /// <param name="environment">All <c>TEMPORAL_*</c> variables of the caller.</param>
    internal static IEnumerable<string> Notes(
        TemporalClientConnectOptions options, IReadOnlyCollection<string> flagged, string? profile,
        IReadOnlyDictionary<string, string> environment)
    {
        if (!flagged.Contains(AddressVariable) && !flagged.Contains(ProfileVariable))
        {
            yield return $"using the Temporal server {options.TargetHost}, namespace {options.Namespace} "
                + $"({(environment.ContainsKey(AddressVariable) ? AddressVariable : ProfileVariable)})";
        }

        if (string.IsNullOrEmpty(profile))
        {
            yield break;
        }

        var named = TemporalConnection.OutsideOptions(new()
        {
            Profile = profile,
            OverrideEnvVars = environment.Where(v => v.Key == FileVariable).ToDictionary(),
        });
        foreach (var (variable, said) in environment.Where(v => !flagged.Contains(v.Key)))
        {
            if (variable == AddressVariable && named.TargetHost is { } host && host != said)
            {
                yield return $"{variable} overrides the profile: {said} instead of {host}";
            }
            else if (variable == NamespaceVariable && named.TargetHost is not null && named.Namespace != said)
            {
                yield return $"{variable} overrides the profile: {said} instead of {named.Namespace}";
            }
            else if ((variable == KeyVariable && named.ApiKey is { } key && key != said)
                || (variable.StartsWith(TlsVariables, StringComparison.Ordinal) && named.Tls is not null))
            {
                yield return $"{variable} overrides the profile";
            }
        }
    }

    private static Dictionary<string, string> Temporals() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Select(e => (Key: (string)e.Key, Value: (string?)e.Value ?? ""))
            .Where(e => e.Key.StartsWith("TEMPORAL_", StringComparison.Ordinal) && e.Value.Length > 0)
            .OrderBy(e => e.Key, StringComparer.Ordinal)
            .ToDictionary(e => e.Key, e => e.Value);

    private string[] Flagged(ParseResult parsed) =>
    [
        .. new[]
        {
            (_address, AddressVariable), (_namespace, NamespaceVariable), (_profile, ProfileVariable)
        }.Where(f => parsed.GetValue(f.Item1) is not null).Select(f => f.Item2),
    ];

    private static void Set(string variable, string? value)
    {
        if (value is not null)
        {
            Environment.SetEnvironmentVariable(variable, value);
        }
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
