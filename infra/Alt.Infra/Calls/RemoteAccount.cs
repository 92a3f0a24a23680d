using System.Security.Cryptography;
using System.Text;
using Alt.Domain;

namespace Alt.Infra.Calls;

/// <summary>One customer's access to a service's model: workers and runs with the same endpoint, model and key share its limits.</summary>
public sealed class RemoteAccount
{
    /// <param name="endpoint">Base address, such as <c>https://api.openai.com/v1</c>.</param>
    /// <param name="secret">Null if the service needs no key.</param>
    /// <exception cref="InputException">The endpoint is no address, or has a secret in it.</exception>
    public RemoteAccount(string endpoint, string model, CallsConfig calls, Secret? secret)
    {
        Endpoint = Uri.TryCreate(endpoint, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" ? address
            : throw new InputException($"endpoint '{endpoint}': expected an address such as https://api.openai.com/v1");
        if (address.UserInfo.Length > 0 || address.Query.Length > 0)
        {
            throw new InputException(
                $"endpoint at {address.Host}: a config holds no secret; give the address without user and query, and the key with "
                + "apiKey: env:NAME or file:PATH");
        }

        (Model, Calls, Secret) = (model, calls, secret);
        Key = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{address}\0{model}\0{secret?.Reveal()}")));
    }

    public Uri Endpoint { get; }

    public string Model { get; }

    public CallsConfig Calls { get; }

    public Secret? Secret { get; }

    /// <summary>SHA-256 over endpoint, model and key: names the account where its limits are kept.</summary>
    public string Key { get; }

    /// <summary>The service's text with the key removed.</summary>
    public string Redact(string text) => Secret?.Redact(text) ?? text;
}
