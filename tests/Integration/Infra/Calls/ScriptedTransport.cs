using System.Collections.Concurrent;
using Alt.Infra.Calls;

namespace Alt.Tests.Infra.Calls;

/// <summary>A service whose replies a test writes.</summary>
/// <param name="reply">Called with the number of the attempt, from 1 over all requests, and the end of the attempt.</param>
internal sealed class ScriptedTransport(Func<int, CancellationToken, Task<TransportReply>> reply) : ICallTransport
{
    private int _attempts;

    public ScriptedTransport(Func<int, TransportReply> reply)
        : this((attempt, _) => Task.FromResult(reply(attempt)))
    {
    }

    public int Attempts => _attempts;

    public ConcurrentBag<string> IdempotencyKeys { get; } = [];

    public static TransportReply Ok(string body = "{}", int input = 10, int output = 5) =>
        new(200, body) { InputTokens = input, OutputTokens = output };

    public Task<TransportReply> SendAsync(ReadOnlyMemory<byte> body, string idempotencyKey, CancellationToken token)
    {
        IdempotencyKeys.Add(idempotencyKey);
        return reply(Interlocked.Increment(ref _attempts), token);
    }
}
