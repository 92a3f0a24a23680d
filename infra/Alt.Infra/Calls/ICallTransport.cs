namespace Alt.Infra.Calls;

/// <summary>Sends a request once, in the manner of a service: <see cref="ChatCompletions"/> and <see cref="JsonPost"/>.</summary>
public interface ICallTransport
{
    /// <param name="body">JSON.</param>
    /// <param name="idempotencyKey">The same for every attempt of one request: a service that honours it bills the request once.</param>
    /// <param name="token">Ends the attempt.</param>
    /// <returns>The reply, from the status line on.</returns>
    /// <exception cref="HttpRequestException">The connection was lost before a status line.</exception>
    Task<TransportReply> SendAsync(ReadOnlyMemory<byte> body, string idempotencyKey, CancellationToken token);
}

/// <summary>A reply, from its status line on.</summary>
/// <param name="Body">Null if it broke off.</param>
public sealed record TransportReply(int Status, string? Body)
{
    /// <summary>As the service counted; null if it does not report a count.</summary>
    public int? InputTokens { get; init; }

    /// <inheritdoc cref="InputTokens"/>
    public int? OutputTokens { get; init; }

    /// <summary>How long the service asks to wait before the next attempt.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
