using System.Security.Cryptography;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace TemporalServer.Serving;

/// <summary>Admits only callers that know the key, if one is set. The comparison takes the same time for every wrong key.</summary>
internal sealed class ApiKeyCheck(string? key)
{
    private const string Scheme = "Bearer ";

    private readonly byte[]? _expected = key is null ? null : Hash(key);

    /// <exception cref="RpcError">PERMISSION_DENIED.</exception>
    public void Check(HttpRequest request)
    {
        if (_expected is null)
        {
            return;
        }

        var header = request.Headers.Authorization.ToString();
        var given = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..] : "";
        if (!CryptographicOperations.FixedTimeEquals(Hash(given), _expected))
        {
            throw new RpcError(StatusCode.PermissionDenied, "Request unauthorized.");
        }
    }

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
