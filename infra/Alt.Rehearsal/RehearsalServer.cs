using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Alt.Infra.Calls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Alt.Rehearsal;

/// <summary>How a rehearsal's judge behaves.</summary>
public sealed record RehearsalOptions
{
    /// <summary>Port on 127.0.0.1; 0 takes any that is free.</summary>
    public int Port { get; init; }

    public Faults Faults { get; init; } = Faults.None;

    /// <summary>How long a slow reply takes, if the client waits for it.</summary>
    public TimeSpan Slow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>What Retry-After asks for.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The key that requests must have; null asks for none. As some services do, errors repeat the key that came.</summary>
    public Secret? Key { get; init; }
}

/// <summary>
/// A judge that costs nothing, to rehearse a run with: chat completions, embeddings, Perspective and <c>/score</c> on one port, with faults
/// as they are wanted, and counts of what it was asked at <c>/counts</c>. It remembers every reply until it ends.
/// </summary>
public sealed class RehearsalServer : IAsyncDisposable
{
    private static readonly JsonSerializerOptions CountsJson = new(JsonSerializerOptions.Web)
    {
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) }
    };

    private readonly RehearsalOptions _options;
    private readonly RehearsalBooks _books = new();
    private readonly WebApplication _app;

    private RehearsalServer(RehearsalOptions options)
    {
        _options = options;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, options.Port));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    /// <summary>Such as <c>http://127.0.0.1:8090</c>; the APIs lie below <c>/v1</c>, <c>/v1alpha1</c> and <c>/score</c>.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public RehearsalCounts Counts => _books.Counts();

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<RehearsalServer> StartAsync(RehearsalOptions options, CancellationToken token = default)
    {
        var server = new RehearsalServer(options);
        await server._app.StartAsync(token);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext http)
    {
        if (HttpMethods.IsGet(http.Request.Method) && http.Request.Path == "/counts")
        {
            await http.Response.WriteAsJsonAsync(_books.Counts(), CountsJson);
            return;
        }

        Func<JsonElement, Fault, RehearsalReply>? judge = http.Request.Path.Value switch
        {
            "/v1/chat/completions" => RehearsalReplies.Chat,
            "/v1/embeddings" => RehearsalReplies.Embeddings,
            "/v1alpha1/comments:analyze" => RehearsalReplies.Perspective,
            "/score" => RehearsalReplies.Scores,
            _ => null,
        };
        if (judge is null || !HttpMethods.IsPost(http.Request.Method))
        {
            await WriteAsync(http, RehearsalReplies.Error(404, "not_found", "There is nothing at this address."));
            return;
        }

        _books.Arrive();
        var answer = await AnswerAsync(http, judge);
        // Before the client can know: it may send the next one at once.
        _books.Leave();
        switch (answer)
        {
            case (Fault.Dropped, _):
                http.Abort();
                break;
            case (Fault.Truncated, var reply):
                // Kestrel sends what there is and closes. Aborted, the client might not even see the status line.
                http.Response.ContentLength = reply.Body.Length;
                await http.Response.Body.WriteAsync(reply.Body.AsMemory(0, reply.Body.Length / 2));
                break;
            case (Fault.RateLimitWithRetryAfter, var reply):
                http.Response.Headers.RetryAfter = Math.Ceiling(_options.RetryAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                await WriteAsync(http, reply);
                break;
            case var (_, reply):
                await WriteAsync(http, reply);
                break;
        }
    }

    private async Task<(Fault Fault, RehearsalReply Reply)> AnswerAsync(HttpContext http, Func<JsonElement, Fault, RehearsalReply> judge)
    {
        try
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body, http.RequestAborted);
            var key = http.Request.Headers.Authorization.ToString() is { Length: > 0 } header
                ? header.Replace("Bearer ", "", StringComparison.Ordinal)
                : http.Request.Query["key"].ToString();
            if (_options.Key is { } wanted && key != wanted.Reveal())
            {
                return (Fault.None, RehearsalReplies.Error(401, "invalid_api_key", $"Incorrect API key provided: {key}"));
            }

            var hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(http.Request.Path), .. body.ToArray()]);
            var (content, attempt) = _books.Count(Convert.ToHexStringLower(hash));
            var fault = _options.Faults.Draw(hash, attempt);
            _books.Count(fault);
            if (fault is Fault.RateLimit or Fault.RateLimitWithRetryAfter)
            {
                return (fault, RehearsalReplies.Error(429, "rate_limit_exceeded", $"Rate limit reached for {key}."));
            }

            if (fault is Fault.ServerError)
            {
                return (fault, RehearsalReplies.Error(500, "server_error", $"The server had an error with {key}."));
            }

            using var request = JsonDocument.Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
            var reply = _books.Answer(content, http.Request.Headers["Idempotency-Key"], () => judge(request.RootElement, fault));
            if (fault == Fault.Slow)
            {
                await Task.Delay(_options.Slow, http.RequestAborted);
            }

            return (fault, reply);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return (Fault.None, RehearsalReplies.Error(400, "invalid_request_error", "The request is not as its API has it."));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has gone.
            return (Fault.Dropped, RehearsalReplies.Error(499, "gone", ""));
        }
    }

    private static async Task WriteAsync(HttpContext http, RehearsalReply reply)
    {
        http.Response.StatusCode = reply.Status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = reply.Body.Length;
        await http.Response.Body.WriteAsync(reply.Body);
    }
}
