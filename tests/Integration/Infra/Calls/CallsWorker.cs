using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Alt.Domain;
using Alt.Infra.Calls;
using Npgsql;

namespace Alt.Tests.Infra.Calls;

/// <summary>
/// The worker process of <see cref="CallsCrashTests"/>. Arguments: the judge's address, the database, the first request and how many there
/// are.
/// It asks all that have no outcome yet and records each as it comes.
/// </summary>
internal static class CallsWorker
{
    public const string Name = "calls";
    public const string Run = "rehearsal";
    public const string Table = "create table outcomes (request int primary key, kind text not null, body_hash text, cost numeric not "
        + "null, input_tokens int not null, output_tokens int not null)";

    public static CallsConfig Limits { get; } = new()
    {
        RequestsPerMinute = 24_000,
        Concurrency = 64,
        TimeoutSeconds = 2,
        InputPrice = 1,
        OutputPrice = 3,
    };

    public static async Task RunAsync(string[] args)
    {
        var (first, count) = (int.Parse(args[2], CultureInfo.InvariantCulture), int.Parse(args[3], CultureInfo.InvariantCulture));
        await using var source = NpgsqlDataSource.Create(args[1]);
        await using var calls = await RemoteCalls.OpenAsync(args[1]);
        var asked = new Asker(calls, args[0]);
        var done = await DoneAsync(source);
        var outcomes = Channel.CreateUnbounded<(int Request, CallOutcome Outcome)>();
        var recording = RecordAsync(source, outcomes.Reader);
        await Task.WhenAll(Enumerable.Range(first, count).Where(i => !done.Contains(i))
            .Select(async i => outcomes.Writer.TryWrite((i, await asked.AskAsync(i)))));
        outcomes.Writer.Complete();
        await recording;
    }

    /// <summary>
    /// Records outcomes until there are no more; all that have gathered make one commit. A second outcome of a request is an error.
    /// </summary>
    public static async Task RecordAsync(NpgsqlDataSource source, ChannelReader<(int Request, CallOutcome Outcome)> outcomes)
    {
        while (await outcomes.WaitToReadAsync())
        {
            var batch = new List<(int Request, CallOutcome Outcome)>();
            while (batch.Count < 1_000 && outcomes.TryRead(out var outcome))
            {
                batch.Add(outcome);
            }

            var answers = batch.ConvertAll(b => b.Outcome as CallOutcome.Answered);
            await using var insert = source.CreateCommand("insert into outcomes select * from unnest($1, $2, $3, $4, $5, $6)");
            foreach (var column in new object[]
            {
                batch.ConvertAll(b => b.Request),
                batch.ConvertAll(b => (b.Outcome as CallOutcome.Failed)?.Kind.ToString() ?? b.Outcome.GetType().Name),
                answers.ConvertAll(a => a is null ? "" : HashOf(a.Body)),
                answers.ConvertAll(a => a?.Cost ?? 0), answers.ConvertAll(a => a?.InputTokens ?? 0),
                answers.ConvertAll(a => a?.OutputTokens ?? 0),
            })
            {
                insert.Parameters.Add(new() { Value = column });
            }

            await insert.ExecuteNonQueryAsync();
        }
    }

    public static string HashOf(string body) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));

    private static async Task<HashSet<int>> DoneAsync(NpgsqlDataSource source)
    {
        var done = new HashSet<int>();
        await using var command = source.CreateCommand("select request from outcomes");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            done.Add(reader.GetInt32(0));
        }

        return done;
    }

    /// <summary>Asks about samples by their number.</summary>
    internal sealed class Asker(RemoteCalls calls, string address)
    {
        private readonly RemoteAccount _account = new($"{address}/v1", "judge", Limits, secret: null);

        private ChatCompletions Transport => field ??= new ChatCompletions(_account);

        public Task<CallOutcome> AskAsync(int request)
        {
            var body = Body(request);
            return calls.AskAsync(
                _account, new CallScope(Run, 1, new()),
                new RemoteRequest("chat", "judge", body, body.Length / 3, 16, $"{Run}/1/{request}/0"), Transport);
        }

        public static byte[] Body(int request) => Encoding.UTF8.GetBytes(new JsonObject
        {
            ["model"] = "judge",
            ["messages"] = new JsonArray(new JsonObject
            {
                ["role"] = "user",
                ["content"] = "Human: one\nAssistant: two\nFeedback: Good\n\nHuman: three\nAssistant: four\nFeedback: Bad\n\nHuman: "
                    + $"{request}\nAssistant: {request}\nFeedback:"
            }),
        }.ToJsonString());
    }
}
