using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace TemporalServer;

/// <summary>TLS of a server: its identity and, with a client CA, which clients may connect.</summary>
public sealed class ServerTls : IDisposable
{
    private readonly X509Certificate2 _certificate;
    private readonly X509Certificate2Collection _chain = [];
    private readonly X509Certificate2Collection? _clientAuthorities;

    /// <summary>Reads PEM files.</summary>
    /// <param name="certificateFile">The server's certificate, optionally followed by the intermediate certificates.</param>
    /// <param name="keyFile">Its private key, not encrypted.</param>
    /// <param name="clientCaFile">CAs that clients' certificates must come from; null lets clients connect without one.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">A file has the wrong content, or the key belongs to another certificate.</exception>
    public ServerTls(string certificateFile, string keyFile, string? clientCaFile = null)
    {
        _certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        _chain.ImportFromPemFile(certificateFile);
        if (clientCaFile is not null)
        {
            _clientAuthorities = [];
            _clientAuthorities.ImportFromPemFile(clientCaFile);
            if (_clientAuthorities.Count == 0)
            {
                throw new CryptographicException($"{clientCaFile} holds no certificate");
            }
        }
    }

    public void Dispose() => _certificate.Dispose();

    internal void Apply(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = _certificate;
        https.ServerCertificateChain = _chain;
        if (_clientAuthorities is not null)
        {
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (client, _, _) => IsFromAuthority(client);
        }
    }

    // Only the given CAs count: a CA that the machine trusts for the web does not decide who may use this server.
    private bool IsFromAuthority(X509Certificate2 client)
    {
        using var built = new X509Chain();
        built.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        built.ChainPolicy.CustomTrustStore.AddRange(_clientAuthorities!);
        built.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        built.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2")); // client authentication
        return built.Build(client);
    }
}
