using Alt.Domain;
using Alt.Infra.Calls;
using FsCheck;
using FsCheck.Fluent;

namespace Alt.Tests.Infra.Calls;

public sealed class CallBooksTests
{
    private const int Concurrency = 4;
    private static readonly DateTime Now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly BudgetConfig Budget = new() { Run = 20, Iteration = 12, RunTokens = 190, IterationTokens = 130 };

    /// <summary>What a caller does to a request: asks, or ends it with a reply, with nothing, or in doubt.</summary>
    private enum Act { Ask, Reply, Nothing, Doubt }

    private static Arbitrary<(Act Act, int Request, int Money, int Used)[]> Histories() => Arb.From(
        (from act in Gen.Elements(Enum.GetValues<Act>())
         from request in Gen.Choose(0, 11)
         from money in Gen.Choose(0, 5)
         from used in Gen.Choose(0, 100)
         select (act, request, money, used)).ArrayOf());

    [Fact]
    public void Whatever_happens_no_limit_is_passed_and_the_books_add_up() =>
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Histories(), history =>
        {
            var books = new CallBooks(Now);
            books.Accounts["account"] = new(DateTime.UnixEpoch, DateTime.UnixEpoch, 0, 0);
            books.Spends[("run", 1)] = new(1, default, default, default);
            books.Spends[("run", 2)] = new(2, default, default, default);
            var underWay = new Dictionary<int, CallAsk>();
            foreach (var (act, request, money, used) in history)
            {
                if (act == Act.Ask && !underWay.ContainsKey(request))
                {
                    var ask = Ask(request, money);
                    if (books.Book(ask) is Booking.Granted)
                    {
                        underWay.Add(request, ask);
                    }
                }
                else if (act != Act.Ask && underWay.Remove(request, out var ask))
                {
                    var reply = act == Act.Reply ? Reply(ask, used) : null;
                    books.Settle(new(ask, reply, act == Act.Doubt));
                    // As after an answer that was lost.
                    books.Settle(new(ask, reply, act == Act.Doubt));
                }

                var spends = books.Spends.Values;
                var run = spends.Select(s => s.Spent + s.Reserved + s.InDoubt).Aggregate((a, b) => a + b);
                Assert.True(run.Money <= Budget.Run && run.Tokens <= Budget.RunTokens);
                Assert.All(spends, s =>
                    Assert.True((s.Spent + s.Reserved + s.InDoubt) is var all
                        && all.Money <= Budget.Iteration && all.Tokens <= Budget.IterationTokens));
                Assert.Equal(underWay.Count, books.Accounts["account"].Sending);
                Assert.InRange(underWay.Count, 0, Concurrency);
                Assert.Equal(Sum(l => !l.InDoubt), spends.Aggregate(default(CallAmount), (sum, s) => sum + s.Reserved));
                Assert.Equal(Sum(l => l.InDoubt), spends.Aggregate(default(CallAmount), (sum, s) => sum + s.InDoubt));
                Assert.Equal(books.NewReplies.DistinctBy(r => r.Hash).Sum(r => r.Cost), spends.Sum(s => s.Spent.Money));
            }

            CallAmount Sum(Func<CallLease, bool> which) =>
                books.Leases.Values.Where(which).Aggregate(default(CallAmount), (sum, l) => sum + l.Reserved);
        }));

    [Fact]
    public void A_limit_that_only_calls_under_way_may_pass_is_waited_for()
    {
        var books = Books();
        var first = Ask(0, 8);
        Assert.IsType<Booking.Granted>(books.Book(first));
        Assert.IsType<Booking.Full>(books.Book(Ask(2, 8)));
        books.Settle(new(first, Reply(first, used: 10), InDoubt: false));
        Assert.IsType<Booking.Granted>(books.Book(Ask(2, 8)));
    }

    [Fact]
    public void A_limit_that_is_certain_to_be_passed_says_what_is_spent_and_what_is_needed()
    {
        var books = Books();
        var first = Ask(0, 8);
        books.Book(first);
        books.Settle(new(first, Reply(first, used: 100), InDoubt: false));
        Assert.Equal(
            new Booking.OverBudget(
                BudgetLimit.Iteration, "iteration 1 of run 'run': $8 of $12 is spent, and the next call may cost $8 more"),
            books.Book(Ask(2, 8)));
    }

    [Fact]
    public void Slots_are_given_out_no_longer_than_the_horizon_ahead()
    {
        var books = Books();
        var limits = new CallsConfig { RequestsPerMinute = 600, Concurrency = 100 };
        var waits = Enumerable.Range(0, 10).Select(i => books.Book(Ask(2 * i, 0) with { Limits = limits })).ToArray();
        Assert.Equal([0, 101.01], waits.OfType<Booking.Granted>().Select(g => Math.Round(g.Wait.TotalMilliseconds, 2)));
        Assert.IsType<Booking.NoSlot>(waits[^1]);
    }

    [Fact]
    public void Tokens_that_were_not_taken_are_given_back()
    {
        var books = Books();
        var ask = Ask(0, 0) with { Limits = new() { TokensPerMinute = 600 }, Tokens = 100 };
        books.Book(ask);
        var reserved = books.Accounts["account"].TokenSlot;
        books.Settle(new(ask, Reply(ask, used: 10), InDoubt: false));
        Assert.Equal(SlotSchedule.Length(90, 600), reserved - books.Accounts["account"].TokenSlot);
    }

    private static CallBooks Books()
    {
        var books = new CallBooks(Now);
        books.Accounts["account"] = new(DateTime.UnixEpoch, DateTime.UnixEpoch, 0, 0);
        books.Spends[("run", 1)] = new(1, default, default, default);
        return books;
    }

    // Odd requests belong to the second iteration, if one exists.
    private static CallAsk Ask(int request, int money) => new(
        Guid.NewGuid(), "account", $"{request}", "", new() { Concurrency = Concurrency }, new("run", 1 + (request % 2), Budget), money,
        10 * money);

    /// <param name="used">Percent of what was reserved.</param>
    private static StoredReply Reply(CallAsk ask, int used) =>
        new(ask.Hash, "", "", "", "", (int)(ask.Tokens * used / 100), 0, ask.Money * used / 100, 1, default);
}
