using System.Diagnostics;
using Alt.Domain;
using Alt.Infra.Calls;
using Npgsql;

namespace Alt.Tests.Infra.Calls;

public sealed class RemoteCallsTests : CallsTest
{
    [Fact]
    public async Task A_reply_is_paid_for_once_and_then_known_to_all_runs()
    {
        var service = new ScriptedTransport(_ => ScriptedTransport.Ok("reply"));
        var first = Assert.IsType<CallOutcome.Answered>(await AskAsync(service));
        await using var others = await OpenAsync();
        var second = Assert.IsType<CallOutcome.Answered>(
            await AskAsync(service, scope: Scope("other", 3), payer: "other/3/0/0", calls: others));

        Assert.Equal(
            ("reply", 10, 5, 15m, 1, false), (first.Body, first.InputTokens, first.OutputTokens, first.Cost, first.Attempts, first.Cached));
        Assert.Equal(
            ("reply", 10, 5, 0m, 0, true),
            (second.Body, second.InputTokens, second.OutputTokens, second.Cost, second.Attempts, second.Cached));
        Assert.Equal(1, service.Attempts);
        Assert.Equal(new CallSpend(1, new(15, 15), default, default), Assert.Single(await SpendAsync("run")));
        Assert.Equal(default, Assert.Single(await SpendAsync("other")).Spent);
    }

    [Fact]
    public async Task The_sample_that_paid_gets_the_same_answer_when_it_is_done_again()
    {
        var service = new ScriptedTransport(attempt => attempt < 3 ? new(500, "") : ScriptedTransport.Ok());
        var first = await AskAsync(service);
        await using var restarted = await OpenAsync();
        var again = await AskAsync(service, calls: restarted);

        Assert.Equal(3, Assert.IsType<CallOutcome.Answered>(first).Attempts);
        Assert.Equal(Rounded(first), Rounded(again));
        Assert.Equal(15, Assert.Single(await SpendAsync("run")).Spent.Money);

        // PostgreSQL keeps microseconds.
        static CallOutcome.Answered Rounded(CallOutcome outcome) => Assert.IsType<CallOutcome.Answered>(outcome) with { At = default };
    }

    [Fact]
    public async Task Identical_requests_under_way_are_made_once_over_all_processes()
    {
        var gate = new TaskCompletionSource();
        var service = new ScriptedTransport(async (_, _) =>
        {
            await gate.Task;
            return ScriptedTransport.Ok();
        });
        await using var others = await OpenAsync();
        var asked = Enumerable.Range(0, 40)
            .Select(i => AskAsync(service, payer: $"run/1/0/{i}", calls: i % 2 == 0 ? Calls : others)).ToArray();
        await Wait.ForAsync(() => service.Attempts > 0, "a first call");
        gate.SetResult();
        var answered = (await Task.WhenAll(asked)).Cast<CallOutcome.Answered>().ToArray();

        Assert.Equal(1, service.Attempts);
        Assert.Equal(1, answered.Count(a => !a.Cached));
        Assert.Equal(15, answered.Sum(a => a.Cost));
    }

    [Fact]
    public async Task Every_attempt_of_a_request_has_the_same_idempotency_key()
    {
        var service = new ScriptedTransport(attempt => attempt < 4 ? new(503, "") : ScriptedTransport.Ok());
        await AskAsync(service);
        Assert.Equal(4, service.IdempotencyKeys.Count);
        Assert.Single(service.IdempotencyKeys.Distinct());
    }

    [Theory]
    [InlineData(429, CallFailure.RateLimited)]
    [InlineData(500, CallFailure.ServerError)]
    [InlineData(599, CallFailure.ServerError)]
    public async Task What_may_pass_is_tried_as_often_as_the_config_says(int status, CallFailure kind)
    {
        var service = new ScriptedTransport(_ => new(status, """{"error":{"code":"overloaded","message":"the text of the request"}}"""));
        var failed = Assert.IsType<CallOutcome.Failed>(await AskAsync(service, account: Account(Prices with { Attempts = 3 })));
        Assert.Equal((kind, 3, 3), (failed.Kind, failed.Attempts, service.Attempts));
        Assert.Equal($"judge.example.org: status {status}, overloaded", failed.Reason);
        Assert.Equal(new CallSpend(1, default, default, default), Assert.Single(await SpendAsync("run")));
    }

    [Fact]
    public async Task The_next_attempt_comes_no_sooner_than_the_service_asks_for()
    {
        var wait = TimeSpan.FromSeconds(.3);
        var moments = new List<long>();
        var service = new ScriptedTransport(attempt =>
        {
            moments.Add(Stopwatch.GetTimestamp());
            return attempt == 1 ? new(429, "") { RetryAfter = wait } : ScriptedTransport.Ok();
        });
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service));
        // Timers tick in milliseconds.
        Assert.True(Stopwatch.GetElapsedTime(moments[0], moments[1]) >= wait - TimeSpan.FromMilliseconds(2));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task What_is_refused_is_not_tried_again(int status)
    {
        var service = new ScriptedTransport(_ => new(status, ""));
        Assert.Equal(CallFailure.Refused, Assert.IsType<CallOutcome.Failed>(await AskAsync(service)).Kind);
        Assert.Equal(1, service.Attempts);
    }

    [Fact]
    public async Task A_success_that_makes_no_sense_is_an_answer()
    {
        var service = new ScriptedTransport(_ => new(200, "<html>\0</html>"));
        Assert.Equal("<html>\0</html>", Assert.IsType<CallOutcome.Answered>(await AskAsync(service)).Body);
        Assert.Equal(1, service.Attempts);
    }

    [Fact]
    public async Task A_success_that_broke_off_is_not_tried_again_and_stays_in_doubt_until_it_is_asked_again()
    {
        var service = new ScriptedTransport(attempt => attempt == 1 ? new(200, null) : ScriptedTransport.Ok(input: 2, output: 1));
        Assert.Equal(CallFailure.CutOff, Assert.IsType<CallOutcome.Failed>(await AskAsync(service)).Kind);
        Assert.Equal(1, service.Attempts);
        Assert.Equal(new CallSpend(1, default, default, new(15, 15)), Assert.Single(await SpendAsync("run")));

        Assert.IsType<CallOutcome.Answered>(await AskAsync(service));
        Assert.Equal(new CallSpend(1, new(3, 3), default, default), Assert.Single(await SpendAsync("run")));
    }

    [Fact]
    public async Task A_lost_connection_and_a_timeout_are_tried_again()
    {
        var service = new ScriptedTransport(async (attempt, token) =>
        {
            if (attempt == 1)
            {
                throw new HttpRequestException(HttpRequestError.ResponseEnded);
            }

            await Task.Delay(attempt == 2 ? Timeout.Infinite : 0, token);
            return ScriptedTransport.Ok();
        });
        Assert.Equal(
            3,
            Assert.IsType<CallOutcome.Answered>(await AskAsync(service, account: Account(Prices with { TimeoutSeconds = .1 }))).Attempts);
        Assert.Equal(new CallSpend(1, new(15, 15), default, default), Assert.Single(await SpendAsync("run")));
    }

    [Theory]
    [InlineData("http://user:pass@judge.example.org/v1")]
    [InlineData("http://judge.example.org/v1?key=secret")]
    [InlineData("judge.example.org")]
    public void An_endpoint_is_an_address_without_a_secret(string endpoint) => Assert.Throws<InputException>(() =>
        new RemoteAccount(endpoint, "judge", new(), null));

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_key_that_is_not_accepted_is_one_line_that_says_where_it_comes_from(int status)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "sk-0123456789\n");
        var service = new ScriptedTransport(_ =>
            new(status, """{"error":{"message":"Incorrect API key provided: sk-0123456789","code":"invalid_api_key"}}"""));
        var error = await Assert.ThrowsAsync<InputException>(() =>
            AskAsync(service, account: Account(secret: Secret.Read($"file:{file}"))));
        Assert.Equal(
            $"http://judge.example.org/v1 does not accept the key from file:{file} (status {status}, invalid_api_key); put one "
                + "there that may use judge",
            error.Message);
        Assert.Equal(1, service.Attempts);
        File.Delete(file);
    }

    [Fact]
    public async Task A_forgotten_reply_is_asked_for_again()
    {
        var service = new ScriptedTransport(_ => ScriptedTransport.Ok());
        await AskAsync(service);
        Assert.Equal(1, await Calls.ForgetAsync([Request("q").Hash, Request("other").Hash]));
        await AskAsync(service);
        Assert.Equal(2, service.Attempts);
    }

    [Fact]
    public async Task A_call_that_its_caller_gives_up_stays_in_doubt()
    {
        using var end = new CancellationTokenSource();
        var service = new ScriptedTransport(async (_, token) =>
        {
            await end.CancelAsync();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedTransport.Ok();
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => AskAsync(service, token: end.Token));
        await Wait.ForAsync(async () => Assert.Single(await SpendAsync("run")).InDoubt.Money == 15, "the reservation in doubt");
    }

    [Fact]
    public async Task The_session_that_was_killed_frees_its_leases_at_once_and_leaves_its_calls_in_doubt()
    {
        var service = new ScriptedTransport(async (attempt, token) =>
        {
            await Task.Delay(attempt == 1 ? Timeout.Infinite : 0, token);
            return ScriptedTransport.Ok();
        });
        using var end = new CancellationTokenSource();
        var dead = await OpenAsync();
        var lost = AskAsync(service, "lost", Account(Prices with { Concurrency = 1 }), calls: dead, token: end.Token);
        await Wait.ForAsync(() => service.Attempts == 1, "a call under way");
        await KillSessionsAsync();

        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "next", Account(Prices with { Concurrency = 1 })));
        Assert.Equal(new CallSpend(1, new(15, 15), default, new(15, 15)), Assert.Single(await SpendAsync("run")));
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "lost", Account(Prices with { Concurrency = 1 })));
        Assert.Equal(new CallSpend(1, new(30, 30), default, default), Assert.Single(await SpendAsync("run")));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        await dead.DisposeAsync();
    }

    [Fact]
    public async Task A_lost_session_is_opened_again_and_its_calls_continue()
    {
        var gate = new TaskCompletionSource();
        var service = new ScriptedTransport(async (_, _) =>
        {
            await gate.Task;
            return ScriptedTransport.Ok();
        });
        var asked = Enumerable.Range(0, 10).Select(i => AskAsync(service, $"q{i}")).ToArray();
        await Wait.ForAsync(() => service.Attempts == 10, "calls under way");
        await KillSessionsAsync();
        gate.SetResult();
        Assert.All(await Task.WhenAll(asked), o => Assert.Equal(1, Assert.IsType<CallOutcome.Answered>(o).Attempts));
        Assert.Equal(new CallSpend(1, new(150, 150), default, default), Assert.Single(await SpendAsync("run")));
    }

    private async Task KillSessionsAsync()
    {
        await using var source = NpgsqlDataSource.Create(Database);
        await using var kill = source.CreateCommand("select pg_terminate_backend(w.pid) from alt_call_workers w");
        await kill.ExecuteNonQueryAsync();
    }
}
