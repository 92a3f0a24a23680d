using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Tests.Infra.Calls;

/// <summary>Limits that several callers in several processes share.</summary>
public sealed class CallLimitsTests : CallsTest
{
    [Theory]
    [InlineData(150, 0, 0, 0, 10)]
    [InlineData(0, 105, 0, 0, 7)]
    [InlineData(0, 0, 80, 0, 5)]
    [InlineData(0, 0, 0, 45, 3)]
    public async Task Concurrent_callers_spend_what_the_budget_allows_and_no_more(
        int run, int iteration, int runTokens, int iterationTokens, int allowed)
    {
        var budget = new BudgetConfig { Run = run, Iteration = iteration, RunTokens = runTokens, IterationTokens = iterationTokens };
        var service = new ScriptedTransport(_ => ScriptedTransport.Ok());
        await using var others = await OpenAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 60)
            .Select(i => AskAsync(service, $"q{i}", scope: Scope(budget: budget), calls: i % 2 == 0 ? Calls : others)));

        Assert.Equal((allowed, allowed), (outcomes.Count(o => o is CallOutcome.Answered), service.Attempts));
        Assert.Equal(60 - allowed, outcomes.Count(o => o is CallOutcome.OverBudget));
        Assert.Equal(new CallSpend(1, new(15 * allowed, 15 * allowed), default, default), Assert.Single(await SpendAsync("run")));
    }

    [Fact]
    public async Task A_run_has_one_budget_for_all_iterations()
    {
        var budget = new BudgetConfig { Run = 30, Iteration = 20 };
        var service = new ScriptedTransport(_ => ScriptedTransport.Ok());
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "1", scope: Scope(budget: budget)));
        Assert.Equal(
            BudgetLimit.Iteration, Assert.IsType<CallOutcome.OverBudget>(await AskAsync(service, "2", scope: Scope(budget: budget))).Limit);
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "2", scope: Scope(iteration: 2, budget: budget)));
        Assert.Equal(
            BudgetLimit.Run,
            Assert.IsType<CallOutcome.OverBudget>(await AskAsync(service, "3", scope: Scope(iteration: 3, budget: budget))).Limit);
        // With more money, it continues.
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "3", scope: Scope(iteration: 3, budget: budget with { Run = 45 })));
    }

    [Fact]
    public async Task No_more_calls_are_under_way_than_the_config_says_over_all_processes()
    {
        const int Allowed = 5;
        var (now, most, waiting) = (0, 0, 0);
        var sync = new Lock();
        var together = NewGate();
        // Each waits until the permitted number is under way, so that one too many would be noticed.
        var service = new ScriptedTransport(async (_, token) =>
        {
            Task all;
            lock (sync)
            {
                most = Math.Max(most, ++now);
                all = together.Task;
                if (++waiting == Allowed)
                {
                    together.SetResult();
                    (together, waiting) = (NewGate(), 0);
                }
            }

            // If fewer were let through, the number would never be reached.
            await all.WaitAsync(TimeSpan.FromSeconds(60), token);
            lock (sync)
            {
                now--;
            }

            return ScriptedTransport.Ok();
        });
        await using var others = await OpenAsync();
        var account = Account(new() { Concurrency = Allowed });
        await Task.WhenAll(Enumerable.Range(0, 300).Select(i => AskAsync(service, $"q{i}", account, calls: i % 2 == 0 ? Calls : others)));
        Assert.Equal((300, Allowed), (service.Attempts, most));

        static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    [Fact]
    public async Task The_quota_outlives_the_process()
    {
        var service = new ScriptedTransport(_ => ScriptedTransport.Ok());
        // A slot of a minute each, so the second one is not available while this test lasts.
        var account = Account(new() { RequestsPerMinute = 1 });
        Assert.IsType<CallOutcome.Answered>(await AskAsync(service, "1", account));
        await using var others = await OpenAsync();
        using var end = new CancellationTokenSource();
        var waiting = AskAsync(service, "2", account, calls: others, token: end.Token);
        var known = await AskAsync(service, "1", account, payer: "other/1/0/0", calls: others);
        Assert.True(Assert.IsType<CallOutcome.Answered>(known).Cached);
        Assert.False(waiting.IsCompleted);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(1, service.Attempts);
    }

    [Fact]
    public async Task A_service_that_is_down_is_left_alone_and_asked_again_when_it_is_back()
    {
        var back = false;
        var service = new ScriptedTransport(_ => back ? ScriptedTransport.Ok() : new(500, ""));
        var account = Account(new() { Attempts = 3, Concurrency = 10 });
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => AskAsync(service, $"q{i}", account)));
        Assert.All(outcomes, o => Assert.IsType<CallOutcome.Failed>(o));
        Assert.Contains(outcomes, o => o is CallOutcome.Failed { Kind: CallFailure.BreakerOpen });
        Assert.InRange(service.Attempts, 20, 100);

        back = true;
        await Wait.ForAsync(async () => await AskAsync(service, "again", account) is CallOutcome.Answered, "an answer");
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 200).Select(i => AskAsync(service, $"r{i}", account))), o =>
            Assert.IsType<CallOutcome.Answered>(o));
    }

    [Fact]
    public async Task A_service_that_fails_for_a_third_is_not_left_alone()
    {
        var random = new Random(1);
        var fails = Enumerable.Range(0, 20_000).Select(_ => random.NextDouble() < .33).ToArray();
        var service = new ScriptedTransport(attempt => fails[attempt % fails.Length] ? new(500, "") : ScriptedTransport.Ok());
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => AskAsync(service, $"q{i}")));
        Assert.DoesNotContain(outcomes, o => o is CallOutcome.Failed { Kind: CallFailure.BreakerOpen });
        Assert.InRange(outcomes.Count(o => o is CallOutcome.Answered), 980, 1_000);
    }

    [Fact]
    public async Task A_call_in_doubt_and_another_one_are_written_in_one_batch()
    {
        await using var store = new CallStore(Database);
        CallAsk[] asks = [.. Enumerable.Range(0, 2).Select(i => new CallAsk(Guid.NewGuid(), "account", $"{i}", "", new(), Scope(), 1, 1))];
        await store.WriteAsync([], [asks[0]], b => Assert.IsType<Booking.Granted>(b.Book(asks[0])), default);
        await store.WriteAsync([new(asks[0], null, InDoubt: true)], [asks[1]], b =>
        {
            b.Settle(new(asks[0], null, InDoubt: true));
            Assert.IsType<Booking.Granted>(b.Book(asks[1]));
        }, default);
        Assert.Equal(new CallSpend(1, default, new(1, 1), new(1, 1)), Assert.Single(await SpendAsync("run")));
    }
}
