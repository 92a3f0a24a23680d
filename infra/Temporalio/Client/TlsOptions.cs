namespace Temporalio.Client;

/// <summary>TLS of a connection. An empty one trusts the system's certificate authorities.</summary>
public class TlsOptions : ICloneable
{
    /// <summary>Certificate authority of the server, PEM. Default: the system's.</summary>
    public byte[]? ServerRootCACert { get; set; }

    /// <summary>Name that the server's certificate must have. Default: the host of the address.</summary>
    public string? Domain { get; set; }

    /// <summary>Client certificate for mTLS, PEM. Needs <see cref="ClientPrivateKey"/>.</summary>
    public byte[]? ClientCert { get; set; }

    /// <summary>Private key of the client certificate, PEM.</summary>
    public byte[]? ClientPrivateKey { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}
