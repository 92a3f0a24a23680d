using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Temporalio.Client.Grpc;

/// <summary>HTTP handlers, with TLS as the options say.</summary>
internal static class TlsHandler
{
    /// <exception cref="ArgumentException">A certificate is not valid PEM, or a certificate lacks its key.</exception>
    public static SocketsHttpHandler Create(TlsOptions? tls, KeepAliveOptions? keepAlive)
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
        }
        return handler;
    }

    private static SslClientAuthenticationOptions SslOptions(TlsOptions tls)
    {
        if ((tls.ClientCert is null) != (tls.ClientPrivateKey is null))
        {
            throw new ArgumentException("A client certificate needs its private key, and the other way round");
        }
        var options = new SslClientAuthenticationOptions { TargetHost = tls.Domain };
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
