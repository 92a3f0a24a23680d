using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Temporalio.Client.Grpc;

/// <summary>HTTP handlers, with TLS as the options say.</summary>
internal static class TlsHandler
{
    /// <exception cref="ArgumentException">A certificate is not valid PEM, or a certificate lacks its key.</exception>
    public static SocketsHttpHandler Create(Uri server, TlsOptions? tls, KeepAliveOptions? keepAlive)
    {
        var handler = new SocketsHttpHandler
        {
            // A worker holds many polls open, more than servers allow for one connection.
            EnableMultipleHttp2Connections = true,
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (keepAlive is not null)
        {
            handler.KeepAlivePingDelay = keepAlive.Interval;
            handler.KeepAlivePingTimeout = keepAlive.Timeout;
        }
        if (tls is not null)
        {
            handler.SslOptions = SslOptions(tls);
            if (tls.Domain is not null)
            {
                handler.ConnectCallback = (_, cancellationToken) => ConnectAsync(server, cancellationToken);
            }
        }
        return handler;
    }

    /// <summary>The address for requests: .NET checks certificates against its host, so it bears the expected name.</summary>
    public static Uri RequestAddress(Uri server, TlsOptions? tls) =>
        tls?.Domain is { } domain ? new UriBuilder(server) { Host = domain }.Uri : server;

    private static async ValueTask<Stream> ConnectAsync(Uri server, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.Host, server.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions SslOptions(TlsOptions tls)
    {
        if ((tls.ClientCert is null) != (tls.ClientPrivateKey is null))
        {
            throw new ArgumentException("A client certificate needs its private key, and the other way round");
        }
        var options = new SslClientAuthenticationOptions();
        if (tls.ClientCert is not null)
        {
            using var pem = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(tls.ClientCert), Encoding.ASCII.GetString(tls.ClientPrivateKey!));
            // Some platforms cannot use a key that lives in memory only.
            options.ClientCertificates = [X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null)];
        }
        if (tls.ServerRootCACert is not null)
        {
            var authorities = new X509Certificate2Collection();
            authorities.ImportFromPem(Encoding.ASCII.GetString(tls.ServerRootCACert));
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }
        return options;
    }
}
