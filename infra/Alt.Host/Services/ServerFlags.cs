using System.CommandLine;
using System.Net;
using System.Security.Cryptography;
using Alt.Domain;
using TemporalServer;

namespace Alt.Host;

/// <summary>Valid settings of a server that a user starts alone.</summary>
/// <param name="Port">Null for the usual one.</param>
internal sealed record ServerSettings(
    IPAddress Ip, int? Port, int? HttpPort, ServerTls? Tls, string? ApiKey, int HistoryPage, bool AcceptCompression)
{
    /// <summary>Whether this home's own commands can connect without further settings.</summary>
    public bool IsPlain => Tls is null && ApiKey is null;

    public EmbeddedServerOptions For(string connection, int port) => new()
    {
        ConnectionString = connection,
        Host = Ip.ToString(),
        Port = port,
        HttpPort = HttpPort,
        Tls = Tls,
        ApiKey = ApiKey,
        HistoryPageSize = HistoryPage,
        AcceptCompression = AcceptCompression,
    };
}

/// <summary>
/// The options of <c>alt server</c>. The server listens to a network only if asked to, and a key is never an argument, which other users
/// of the machine could read.
/// </summary>
internal sealed class ServerFlags
{
    private readonly Option<int?> _port = new("--port")
    {
        Description = "Port of gRPC, 0 for any free one. Default: the last one of this folder, or 7233; any free one where that is taken.",
        HelpName = "N",
    };

    private readonly Option<int?> _httpPort = new("--http-port")
    {
        Description = "Also serve the HTTP API (JSON) on this port, 0 for any free one.",
        HelpName = "N"
    };
    private readonly Option<string> _ip = new("--ip")
    {
        Description = "Address to listen on.",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1"
    };
    private readonly Option<string?> _certificate = new("--tls-cert")
    {
        Description = "The server's certificate (PEM), with those between it and its CA.",
        HelpName = "FILE"
    };
    private readonly Option<string?> _key = new("--tls-key") { Description = "The certificate's private key (PEM).", HelpName = "FILE" };
    private readonly Option<string?> _clientCa = new("--client-ca")
    {
        Description = "Accept only clients with a certificate from these CAs (PEM).",
        HelpName = "FILE"
    };
    private readonly Option<bool> _insecure = new("--allow-insecure-network")
    {
        Description = "Listen without TLS although the address is not a loopback one."
    };
    private readonly Option<string?> _apiKeyVariable = new("--api-key-env")
    {
        Description = "Ask every call for the key that this environment variable holds.",
        HelpName = "NAME"
    };
    private readonly Option<string?> _apiKeyFile = new("--api-key-file")
    {
        Description = "Ask every call for the key that this file holds.",
        HelpName = "FILE"
    };

    private readonly Option<int> _historyPage = new("--history-page")
    {
        Description = "Events in one page of a history.",
        HelpName = "N",
        DefaultValueFactory = _ => 1000
    };
    private readonly Option<bool> _noGzip = new("--no-gzip")
    {
        Description = "Refuse compressed requests; clients then send plain ones, which a capture of the network shows."
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[]
        {
            _port, _httpPort, _ip, _certificate, _key, _clientCa, _insecure, _apiKeyVariable, _apiKeyFile, _historyPage, _noGzip
        })
        {
            command.Add(option);
        }
    }

    /// <exception cref="InputException">Options conflict, or a file has the wrong content.</exception>
    public ServerSettings Read(ParseResult parsed)
    {
        var address = IPAddress.TryParse(parsed.GetValue(_ip), out var given)
            ? given
            : throw new InputException($"--ip {parsed.GetValue(_ip)}: expected an IP address, such as 127.0.0.1 or ::1");
        var tls = Tls(parsed);
        if (!IPAddress.IsLoopback(address) && tls is null && !parsed.GetValue(_insecure))
        {
            throw new InputException(
                $"--ip {address}: others on the network could read and change everything; give --tls-cert and --tls-key, or "
                + "--allow-insecure-network");
        }

        var page = parsed.GetValue(_historyPage);
        return new ServerSettings(
            address,
            Checked("--port", parsed.GetValue(_port)),
            Checked("--http-port", parsed.GetValue(_httpPort)),
            tls,
            ApiKey(parsed),
            page > 0 ? page : throw new InputException($"--history-page {page}: expected 1 or more"),
            !parsed.GetValue(_noGzip));
    }

    private ServerTls? Tls(ParseResult parsed)
    {
        var (certificateFile, keyFile, caFile) = (parsed.GetValue(_certificate), parsed.GetValue(_key), parsed.GetValue(_clientCa));
        if (certificateFile is null && keyFile is null && caFile is null)
        {
            return null;
        }

        if (certificateFile is null || keyFile is null)
        {
            throw new InputException("TLS needs both --tls-cert and --tls-key");
        }

        try
        {
            return new ServerTls(certificateFile, keyFile, caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new InputException(
                $"--tls-cert {certificateFile}, --tls-key {keyFile}{(caFile is null ? "" : $", --client-ca {caFile}")}: "
                    + $"{Messages.OneLine(e.Message)}",
                e);
        }
    }

    private string? ApiKey(ParseResult parsed)
    {
        var (variable, file) = (parsed.GetValue(_apiKeyVariable), parsed.GetValue(_apiKeyFile));
        if (variable is not null && file is not null)
        {
            throw new InputException("--api-key-env and --api-key-file: one of them is enough");
        }

        var value = variable is not null ? Environment.GetEnvironmentVariable(variable) : file is not null ? Content(file) : null;
        return (variable is null && file is null) || value?.Trim() is { Length: > 0 }
            ? value?.Trim()
            : throw new InputException(
                $"{(variable is null ? $"--api-key-file {file}" : $"--api-key-env {variable}")}: there is no key in it");
    }

    private static string Content(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"--api-key-file {file}: {Messages.OneLine(e.Message)}", e);
        }
    }

    private static int? Checked(string name, int? number) =>
        number is null or (>= 0 and <= IPEndPoint.MaxPort)
            ? number
            : throw new InputException($"{name} {number}: expected 0 (any) to {IPEndPoint.MaxPort}");
}
