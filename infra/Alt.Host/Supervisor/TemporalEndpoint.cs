using System.Globalization;

namespace Alt.Host.Supervisor;

/// <summary>Address of the Temporal server in use, kept in a file so that a server that starts again takes its old port.</summary>
internal static class TemporalEndpoint
{
    private const string Loopback = "127.0.0.1:";

    public static string? Read(AltHome home) => File.Exists(home.TemporalAddress) ? File.ReadAllText(home.TemporalAddress).Trim() : null;

    public static void Write(AltHome home, string address)
    {
        // Written aside and renamed: a reader never sees half of it.
        var aside = $"{home.TemporalAddress}.{Environment.ProcessId}";
        File.WriteAllText(aside, address + "\n");
        File.Move(aside, home.TemporalAddress, overwrite: true);
    }

    public static string OfPort(int port) => string.Create(CultureInfo.InvariantCulture, $"{Loopback}{port}");

    /// <summary>The embedded server's last port, 0 where there is none.</summary>
    public static int LastPort(AltHome home) =>
        Read(home) is { } address && address.StartsWith(Loopback, StringComparison.Ordinal) && int.TryParse(address[Loopback.Length..], out var port) ? port : 0;
}
