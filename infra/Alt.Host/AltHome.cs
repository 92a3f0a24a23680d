using Alt.Infra;

namespace Alt.Host;

/// <summary>
/// Where the product keeps everything that it makes: the folder <c>.alt</c> of the checkout, or the one that ALT_HOME names.
/// </summary>
internal sealed class AltHome
{
    public const string Variable = "ALT_HOME";

    /// <summary>Names the checkout, where the shipped experiments are.</summary>
    public const string CheckoutVariable = "ALT_CHECKOUT";

    public AltHome(string root)
    {
        Root = Path.GetFullPath(root);
        Directory.CreateDirectory(Logs);
        Directory.CreateDirectory(Locks);
    }

    public string Root { get; }

    public string Postgres => Path.Combine(Root, "pg");

    public string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>Checkpoints unpacked for use; may be deleted whenever nothing runs.</summary>
    public string Models => Path.Combine(Root, "models");

    public string Logs => Path.Combine(Root, "logs");

    public string Locks => Path.Combine(Root, "locks");

    /// <summary>Scratch spaces of replays.</summary>
    public string Replays => Path.Combine(Root, "replay");

    public string Reports => Path.Combine(Root, "reports");

    /// <summary>Address of the Temporal server that this home's runs use, written by the process that starts it.</summary>
    public string TemporalAddress => Path.Combine(Root, "temporal.address");

    /// <exception cref="HostException">The entry script did not say where.</exception>
    public static string Checkout => FromEnvironment(CheckoutVariable);

    /// <exception cref="HostException">The entry script did not say where.</exception>
    public static AltHome Find() => new(FromEnvironment(Variable));

    public string Log(string name) => Path.Combine(Logs, $"{name}.log");

    public string Lock(string name) => Path.Combine(Locks, name);

    /// <summary>Whether a process holds this lock exclusively right now.</summary>
    public bool IsHeld(string name)
    {
        using var free = FileLock.TryTake(Lock(name), exclusive: false);
        return free is null;
    }

    private static string FromEnvironment(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value
        ? value
        : throw new HostException($"{variable} is not set; start this program with the script ./alt");
}
