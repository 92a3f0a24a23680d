using System.Globalization;

namespace Alt.Host.Supervisor;

/// <summary>The Temporal server in use, kept in a file so that a server that starts again takes its old port.</summary>
/// <param name="Address">HOST:PORT.</param>
/// <param name="Outside">Whether it is an outside server, and not the embedded one.</param>
internal sealed record TemporalEndpoint(string Address, bool Outside)
{
    private const string OutsideMark = " outside";

    public static TemporalEndpoint? Read(AltHome home)
    {
        if (!File.Exists(home.TemporalAddress))
        {
            return null;
        }

        var line = File.ReadAllText(home.TemporalAddress).TrimEnd('\n');
        return line.EndsWith(OutsideMark, StringComparison.Ordinal) ? new(line[..^OutsideMark.Length], true) : new(line, false);
    }

    public void Write(AltHome home)
    {
        // Written aside and renamed: a reader never sees half of it.
        var aside = $"{home.TemporalAddress}.{Environment.ProcessId}";
        File.WriteAllText(aside, $"{Address}{(Outside ? OutsideMark : "")}\n");
        File.Move(aside, home.TemporalAddress, overwrite: true);
    }

    /// <summary>The embedded server's last port, 0 where there is none.</summary>
    public static int LastPort(AltHome home) =>
        Read(home) is { Outside: false, Address: var address }
            && int.TryParse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture, out var port)
            ? port
            : 0;
}
