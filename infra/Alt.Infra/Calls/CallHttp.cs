using System.Text;

namespace Alt.Infra.Calls;

/// <summary>The HTTP connections that all calls share.</summary>
internal static class CallHttp
{
    public const string IdempotencyKey = "Idempotency-Key", RetryAfter = "Retry-After";

    /// <summary>Follows no redirect, so that a key goes to no other host. Sets no time limit: each attempt has its own.</summary>
    public static HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        // Connections are renewed, so that a host name's new address is noticed.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>
    /// The whole body, or null if it breaks off or the attempt's time ends: the status line arrived, so the service has done its work.
    /// </summary>
    public static async Task<string?> ReadAsync(Stream body, CancellationToken token)
    {
        try
        {
            using var bytes = new MemoryStream();
            await body.CopyToAsync(bytes, token);
            return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }
}
