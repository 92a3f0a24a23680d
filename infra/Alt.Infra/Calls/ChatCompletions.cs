using System.ClientModel;
using System.ClientModel.Primitives;
using OpenAI;
using OpenAI.Chat;

namespace Alt.Infra.Calls;

/// <summary>
/// Any service with OpenAI's chat-completions API, through the official package. Time limits and retries are <see cref="RemoteCalls"/>'
/// own.
/// </summary>
public sealed class ChatCompletions : ICallTransport
{
    // The package sends no request without a key; a service that needs none ignores it.
    private const string NoKey = "none";

    private static readonly HttpClientPipelineTransport Shared = new(CallHttp.Client);

    private readonly ChatClient _client;

    public ChatCompletions(RemoteAccount account) =>
        _client = new ChatClient(account.Model, new ApiKeyCredential(account.Secret?.Reveal() ?? NoKey), new OpenAIClientOptions
        {
            Endpoint = account.Endpoint,
            Transport = Shared,
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            NetworkTimeout = Timeout.InfiniteTimeSpan,
        });

    public async Task<TransportReply> SendAsync(ReadOnlyMemory<byte> body, string idempotencyKey, CancellationToken token)
    {
        var options = new RequestOptions { CancellationToken = token, ErrorOptions = ClientErrorBehaviors.NoThrow, BufferResponse = false };
        options.SetHeader(CallHttp.IdempotencyKey, idempotencyKey);
        using var content = BinaryContent.Create(BinaryData.FromBytes(body));
        using var response = await SendAsync(content, options);
        var reply = new TransportReply(response.Status, response.ContentStream is { } stream ? await CallHttp.ReadAsync(stream, token) : "")
        {
            RetryAfter = RetryAfter.Parse(
                response.Headers.TryGetValue(CallHttp.RetryAfter, out var header) ? header : null, DateTimeOffset.UtcNow),
        };
        return reply is { Status: 200, Body: { } text } && TokenUsage.Of(text) is var (input, output)
            ? reply with { InputTokens = input, OutputTokens = output }
            : reply;
    }

    private async Task<PipelineResponse> SendAsync(BinaryContent content, RequestOptions options)
    {
        try
        {
            return (await _client.CompleteChatAsync(content, options)).GetRawResponse();
        }
        catch (ClientResultException e) when (e.Status == 0)
        {
            throw e.InnerException as HttpRequestException ?? new HttpRequestException(e.Message, e);
        }
    }
}
