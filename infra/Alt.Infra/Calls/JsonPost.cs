using System.Net.Http.Headers;

namespace Alt.Infra.Calls;

/// <summary>
/// JSON posted to one address: Perspective, embeddings, any scorer. If the service counts no tokens, the request's estimate is used.
/// </summary>
/// <param name="account">Its key is sent as a bearer token, or in the address if <paramref name="address"/> has it.</param>
/// <param name="address">The whole address; <c>{key}</c> in its query stands for the account's key, escaped.</param>
public sealed class JsonPost(RemoteAccount account, string address) : ICallTransport
{
    private const string KeyInAddress = "{key}";

    private readonly Uri _target = new(
        address.Replace(KeyInAddress, Uri.EscapeDataString(account.Secret?.Reveal() ?? ""), StringComparison.Ordinal));
    private readonly AuthenticationHeaderValue? _authorization =
        account.Secret is { } secret && !address.Contains(KeyInAddress, StringComparison.Ordinal) ? new("Bearer", secret.Reveal()) : null;

    public async Task<TransportReply> SendAsync(ReadOnlyMemory<byte> body, string idempotencyKey, CancellationToken token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _target)
        {
            Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } },
            Headers = { Authorization = _authorization },
        };
        request.Headers.Add(CallHttp.IdempotencyKey, idempotencyKey);
        using var response = await CallHttp.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        var text = await CallHttp.ReadAsync(await response.Content.ReadAsStreamAsync(token), token);
        var retryAfter = response.Headers.NonValidated.TryGetValues(CallHttp.RetryAfter, out var header) ? header.ToString() : null;
        return new TransportReply((int)response.StatusCode, text)
        {
            RetryAfter = RetryAfter.Parse(retryAfter, DateTimeOffset.UtcNow),
            InputTokens = text is null ? null : TokenUsage.Of(text)?.Input,
            OutputTokens = 0,
        };
    }
}
