using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra.Calls;
using Alt.Rehearsal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Alt.Tests.Infra.Calls;

/// <summary>The pipeline with its real transports, against the rehearsal's judge over HTTP.</summary>
public sealed class RehearsalServerTests : CallsTest
{
    private const string Key = "sk-rehearsal-0123456789";

    [Fact]
    public async Task A_chat_completion_is_billed_as_the_service_counts()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var (account, body) = (AccountOf(server), Chat("Human: hello\nAssistant: hi\nFeedback:"));
        var answered = Assert.IsType<CallOutcome.Answered>(await AskAsync(new ChatCompletions(account), body, account));
        Assert.Equal((server.Counts.InputTokens, server.Counts.OutputTokens), (answered.InputTokens, answered.OutputTokens));
        Assert.True(answered.InputTokens > 0 && answered.OutputTokens > 0);
        Assert.Equal(answered.InputTokens + answered.OutputTokens, Assert.Single(await SpendAsync("run")).Spent.Tokens);
    }

    [Theory]
    [InlineData("429", CallFailure.RateLimited, 3, 0)]
    [InlineData("500", CallFailure.ServerError, 3, 0)]
    [InlineData("slow", CallFailure.Timeout, 3, 1)]
    [InlineData("dropped", CallFailure.Connection, 3, 1)]
    [InlineData("truncated", CallFailure.CutOff, 1, 1)]
    public async Task What_fails_for_ever_has_failed_after_the_attempts_that_make_sense(string fault, object kind, int attempts, int billed)
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse([$"{fault}=1"], 0) });
        var account = AccountOf(server, new() { Attempts = 3, TimeoutSeconds = .3 });
        var failed = Assert.IsType<CallOutcome.Failed>(await AskAsync(new ChatCompletions(account), Chat("q"), account));
        Assert.Equal(((CallFailure)kind, attempts), (failed.Kind, failed.Attempts));
        Assert.Equal((attempts, billed), (server.Counts.Requests, server.Counts.Billed));
    }

    [Theory]
    [InlineData("malformed")]
    [InlineData("wrong-language")]
    [InlineData("contradictory")]
    public async Task What_is_only_wrong_is_answered(string fault)
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse([$"{fault}=1"], 0) });
        var account = AccountOf(server);
        Assert.IsType<CallOutcome.Answered>(await AskAsync(new ChatCompletions(account), Chat("q"), account));
        Assert.Equal(1, server.Counts.Requests);
    }

    [Fact]
    public async Task Retry_after_is_obeyed()
    {
        await using var server = await RehearsalServer.StartAsync(
            new() { Faults = Faults.Parse(["429-retry-after=1"], 0), RetryAfter = TimeSpan.FromHours(1) });
        var account = AccountOf(server);
        // Longer than any caller may wait, so none does.
        var failed = Assert.IsType<CallOutcome.Failed>(await AskAsync(new ChatCompletions(account), Chat("q"), account));
        Assert.Equal((CallFailure.RateLimited, 1), (failed.Kind, failed.Attempts));
        Assert.Contains("01:00:00", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_the_service_repeats_is_in_no_outcome_and_in_no_table()
    {
        await using var server = await RehearsalServer.StartAsync(new() { Faults = Faults.Parse(["500=1"], 0) });
        var account = AccountOf(server, secret: SecretOf(Key));
        var echo = new JsonPost(account, $"{server.Address}/v1alpha1/comments:analyze?key={{key}}");
        foreach (var transport in new ICallTransport[] { new ChatCompletions(account), echo })
        {
            Assert.DoesNotContain(Key, (await AskAsync(transport, Chat("q"), account)).ToString(), StringComparison.Ordinal);
        }

        var repeats = new ScriptedTransport(_ => ScriptedTransport.Ok($"You are {Key}, {Uri.EscapeDataString(Key)}"));
        Assert.Equal("You are [redacted], [redacted]", Assert.IsType<CallOutcome.Answered>(await AskAsync(repeats, "q2", account)).Body);
        Assert.DoesNotContain(Key, await DumpAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_key_is_one_line_without_it()
    {
        await using var server = await RehearsalServer.StartAsync(new() { Key = SecretOf(Key) });
        var account = AccountOf(server, secret: SecretOf("sk-other"));
        var error = await Assert.ThrowsAsync<InputException>(() => AskAsync(new ChatCompletions(account), Chat("q"), account));
        Assert.DoesNotContain("sk-other", error.Message, StringComparison.Ordinal);
        Assert.Contains("does not accept the key from file:", error.Message, StringComparison.Ordinal);

        var without = AccountOf(server);
        Assert.Contains(
            "apiKey: env:NAME",
            (await Assert.ThrowsAsync<InputException>(() => AskAsync(new ChatCompletions(without), Chat("q"), without))).Message,
            StringComparison.Ordinal);
        var right = AccountOf(server, secret: SecretOf(Key));
        Assert.IsType<CallOutcome.Answered>(await AskAsync(new ChatCompletions(right), Chat("q"), right));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = await RehearsalServer.StartAsync(new());
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        await using var redirecting = builder.Build();
        redirecting.Run(http =>
        {
            http.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            http.Response.Headers.Location = $"{elsewhere.Address}/v1/chat/completions";
            return Task.CompletedTask;
        });
        await redirecting.StartAsync();
        var address = redirecting.Urls.Single();
        var account = new RemoteAccount($"{address}/v1", "judge", Prices, SecretOf(Key));
        foreach (var transport in new ICallTransport[]
        {
            new ChatCompletions(account), new JsonPost(account, $"{address}/score")
        })
        {
            Assert.Equal(CallFailure.Refused, Assert.IsType<CallOutcome.Failed>(await AskAsync(transport, Chat("q"), account)).Kind);
        }

        Assert.Equal(0, elsewhere.Counts.Requests);
    }

    [Fact]
    public async Task Perspective_scores_and_embeddings_are_answered_in_their_own_shapes()
    {
        await using var server = await RehearsalServer.StartAsync(new());
        var account = AccountOf(server);
        var toxicity = await PostAsync(
            "/v1alpha1/comments:analyze?key={key}", """{"comment":{"text":"I hate it"},"requestedAttributes":{"TOXICITY":{}}}""");
        Assert.Equal(1, (double)toxicity["attributeScores"]!["TOXICITY"]!["summaryScore"]!["value"]!);
        var scores = (await PostAsync(
            "/score",
            """{"samples":[{"prompt":"a","text":"one"},{"prompt":"b","text":"two"},{"prompt":"c","text":"one"}]}"""))["scores"]!.AsArray();
        Assert.Equal(3, scores.Count);
        Assert.Equal((double)scores[0]!, (double)scores[2]!);
        var near = (await PostAsync("/v1/embeddings", """{"model":"m","input":["a red house","house red a"]}"""))["data"]!.AsArray();
        Assert.Equal(near[0]!["embedding"]!.ToJsonString(), near[1]!["embedding"]!.ToJsonString());

        async Task<JsonNode> PostAsync(string path, string body) =>
            JsonNode.Parse(
                Assert.IsType<CallOutcome.Answered>(await AskAsync(new JsonPost(account, server.Address + path), body, account)).Body)!;
    }

    [Theory]
    [InlineData(
        "Human: a\nAssistant: b\nFeedback: Good\n\nHuman: c\nAssistant: d\nFeedback: Bad\n\nHuman: e\nAssistant: f\nFeedback:",
        "^(Good|Bad)$")]
    [InlineData(
        "Human: a\nAssistant: b\nFeedback: Good\n\nHuman: c\nAssistant: d\nFeedback: Bad\n\nHuman: e\nAssistant: I hate you\nFeedback:",
        "^Bad$")]
    [InlineData("Summary:\ntext\n\nWrite Analysis, Feedback and Score.", "^Analysis: .+\nFeedback: .+\nScore: [0-3]$")]
    public void The_judge_replies_in_the_form_that_it_is_asked_for(string question, string expected)
    {
        using var request = JsonDocument.Parse(Chat(question));
        var reply = JsonNode.Parse(RehearsalReplies.Chat(request.RootElement, Fault.None).Body)!;
        Assert.Matches(expected, (string)reply["choices"]![0]!["message"]!["content"]!);
    }

    [Fact]
    public void Faults_are_drawn_in_their_shares_and_the_same_for_the_same_seed()
    {
        var faults = Faults.Parse(["429=.2", "truncated=.1"], 7);
        var drawn = Enumerable.Range(0, 20_000).Select(i => faults.Draw(SHA256.HashData(BitConverter.GetBytes(i / 4)), i % 4)).ToArray();
        Assert.InRange(drawn.Count(f => f == Fault.RateLimit) / 20_000.0, .19, .21);
        Assert.InRange(drawn.Count(f => f == Fault.Truncated) / 20_000.0, .09, .11);
        Assert.Equal(drawn, Enumerable.Range(0, 20_000).Select(i =>
            Faults.Parse(["truncated=.1", "429=.2"], 7).Draw(SHA256.HashData(BitConverter.GetBytes(i / 4)), i % 4)));
    }

    [Theory]
    [InlineData("429")]
    [InlineData("418=.1")]
    [InlineData("429=much")]
    public void A_fault_that_is_none_is_refused(string setting) => Assert.Throws<InputException>(() => Faults.Parse([setting], 0));

    [Fact]
    public void The_largest_window_slides() => Assert.Equal(4, RehearsalBooks.LargestWindow([0, 50, 59, 60, 100, 115], 60));

    private static RemoteAccount AccountOf(RehearsalServer server, CallsConfig? calls = null, Secret? secret = null) =>
        new($"{server.Address}/v1", "judge", calls ?? new(), secret);

    private static string Chat(string text) =>
        new JsonObject
        {
            ["model"] = "judge",
            ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = text })
        }.ToJsonString();

    private static Secret SecretOf(string value)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("alt-secret-").FullName, "key");
        File.WriteAllText(file, value);
        return Secret.Read($"file:{file}")!;
    }

    /// <summary>All that the tables hold, as text.</summary>
    private async Task<string> DumpAsync()
    {
        await using var source = NpgsqlDataSource.Create(Database);
        var text = new StringBuilder();
        foreach (var table in new[] { "alt_calls", "alt_call_accounts", "alt_call_workers", "alt_call_leases", "alt_call_spend" })
        {
            await using var command = source.CreateCommand($"select coalesce(string_agg(t::text, E'\\n'), '') from {table} t");
            text.AppendLine((string)(await command.ExecuteScalarAsync())!);
        }

        return text.ToString();
    }
}
