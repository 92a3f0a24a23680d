using System.CommandLine;
using Alt.Domain;

namespace Alt.Host;

/// <summary>
/// Which Temporal server a command uses: the embedded one, unless a flag or the environment names another. What else that one wants
/// (namespace, TLS, API key) comes from <c>TEMPORAL_*</c> or a profile, as for all of Temporal's tools; a key is never a flag, since all users see those.
/// </summary>
internal sealed class TemporalFlags
{
    private const string AddressVariable = "TEMPORAL_ADDRESS", NamespaceVariable = "TEMPORAL_NAMESPACE", ProfileVariable = "TEMPORAL_PROFILE";

    private readonly Option<string?> address = new("--temporal")
    {
        Description = $"Use this Temporal server instead of the embedded one. Default: {AddressVariable}, where it is set. TLS and API key: TEMPORAL_TLS_…, TEMPORAL_API_KEY.",
        HelpName = "HOST:PORT",
    };

    private readonly Option<string?> @namespace = new("--temporal-namespace") { Description = "Namespace on that server.", HelpName = "NAME" };
    private readonly Option<string?> profile = new("--temporal-profile") { Description = "Take server, namespace, TLS and API key from this profile of temporal.toml.", HelpName = "NAME" };

    public TemporalFlags(Command command)
    {
        command.Options.Add(address);
        command.Options.Add(@namespace);
        command.Options.Add(profile);
    }

    /// <returns>HOST:PORT of an outside server; null for the embedded one.</returns>
    /// <exception cref="InputException">The flags or the profile name no server.</exception>
    public string? Read(ParseResult parsed)
    {
        // As variables they reach the worker that this process starts.
        Set(AddressVariable, parsed.GetValue(address));
        Set(NamespaceVariable, parsed.GetValue(@namespace));
        Set(ProfileVariable, parsed.GetValue(profile));
        if (IsSet(AddressVariable) || IsSet(ProfileVariable))
        {
            return Temporal.OutsideOptions().TargetHost
                ?? throw new InputException($"the Temporal profile has no address: add it to temporal.toml, or give --temporal HOST:PORT");
        }

        return parsed.GetValue(@namespace) is { } name
            ? throw new InputException($"--temporal-namespace {name}: of which server? give --temporal HOST:PORT or --temporal-profile NAME too")
            : null;
    }

    private static void Set(string variable, string? value)
    {
        if (value is not null)
        {
            Environment.SetEnvironmentVariable(variable, value);
        }
    }

    private static bool IsSet(string variable) => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(variable));
}
