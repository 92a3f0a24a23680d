using System.Globalization;

namespace Alt.Infra.Calls;

/// <summary>An account's state.</summary>
/// <param name="RequestSlot">When the next slot for a request begins.</param>
/// <param name="TokenSlot">When the next slot for tokens begins.</param>
/// <param name="Sending">Attempts of this process that are under way.</param>
/// <param name="SendingElsewhere">Attempts of other live processes.</param>
internal sealed record AccountState(DateTime RequestSlot, DateTime TokenSlot, int Sending, int SendingElsewhere);

/// <summary>An attempt that is under way, or in doubt.</summary>
/// <param name="InDoubt">No caller waits for its reply any more.</param>
internal sealed record CallLease(Guid Ticket, string Run, int Iteration, CallAmount Reserved, bool InDoubt);

/// <summary>
/// The part of the books that one batch concerns, as it was read and locked, and as the batch changes it. No I/O: what is booked depends on
/// what was read and on nothing else.
/// </summary>
internal sealed class CallBooks(DateTime now)
{
    public Dictionary<string, AccountState> Accounts { get; } = [];

    public Dictionary<(string Run, int Iteration), CallSpend> Spends { get; } = [];

    public Dictionary<(string Account, string Hash), CallLease> Leases { get; } = [];

    public Dictionary<string, StoredReply> Replies { get; } = [];

    public HashSet<(string Account, string Hash)> ChangedLeases { get; } = [];

    public List<StoredReply> NewReplies { get; } = [];

    /// <summary>Records how an attempt ended. Repeating it, after the database's answer was lost, changes nothing.</summary>
    public void Settle(CallSettlement settlement)
    {
        if (settlement.Reply is { } answered)
        {
            NewReplies.Add(answered);
            Replies.TryAdd(answered.Hash, answered);
        }

        var ask = settlement.Ask;
        var key = (ask.Account, ask.Hash);
        if (!Leases.TryGetValue(key, out var lease) || lease.Ticket != ask.Ticket || (lease.InDoubt && settlement.InDoubt))
        {
            return;
        }

        var scope = (ask.Scope.Run, ask.Scope.Iteration);
        var used = settlement.Reply is { } reply ? new CallAmount(reply.Cost, reply.InputTokens + reply.OutputTokens) : default;
        var spend = Spends[scope];
        // A worker that only lost its connection counts as dead for the others: its calls are then in doubt, and it can still settle them.
        spend = lease.InDoubt
            ? spend with { InDoubt = spend.InDoubt - lease.Reserved }
            : spend with { Reserved = spend.Reserved - lease.Reserved };
        Spends[scope] = settlement.InDoubt
            ? spend with { InDoubt = spend.InDoubt + lease.Reserved }
            : spend with { Spent = spend.Spent + used };
        var account = Accounts[ask.Account];
        Accounts[ask.Account] = account with
        {
            Sending = account.Sending - (lease.InDoubt ? 0 : 1),
            TokenSlot = account.TokenSlot - SlotSchedule.Length(
                settlement.InDoubt ? 0 : ask.Tokens - used.Tokens, ask.Limits.TokensPerMinute),
        };
        ChangedLeases.Add(key);
        if (settlement.InDoubt)
        {
            Leases[key] = lease with { InDoubt = true };
        }
        else
        {
            Leases.Remove(key);
        }
    }

    /// <param name="mayGrant">false only looks for an existing reply.</param>
    public Booking Book(CallAsk ask, bool mayGrant = true)
    {
        if (Replies.TryGetValue(ask.Hash, out var reply))
        {
            return new Booking.Known(reply);
        }

        if (!mayGrant)
        {
            return new Booking.NotYet();
        }

        var key = (ask.Account, ask.Hash);
        if (Leases.TryGetValue(key, out var lease) && !lease.InDoubt)
        {
            return lease.Ticket == ask.Ticket ? new Booking.Granted(TimeSpan.Zero) : new Booking.Elsewhere();
        }

        // A call in doubt that is made again is the same call: what it may have cost is not counted twice.
        var scope = (ask.Scope.Run, ask.Scope.Iteration);
        var again = lease is not null && (lease.Run, lease.Iteration) == scope ? lease.Reserved : default;
        var amount = new CallAmount(ask.Money, ask.Tokens);
        if (Refusal(ask.Scope, amount, again) is { } refusal)
        {
            return refusal;
        }

        var account = Accounts[ask.Account];
        if (account.Sending + account.SendingElsewhere >= ask.Limits.Concurrency && ask.Limits.Concurrency > 0)
        {
            return new Booking.Full();
        }

        var slot = SlotSchedule.Next(now, account.RequestSlot, account.TokenSlot);
        if (slot > now + SlotSchedule.Horizon)
        {
            // Half of the horizon early, so that callers take the following slots in time.
            return new Booking.NoSlot(slot - now - (SlotSchedule.Horizon / 2));
        }

        Accounts[ask.Account] = account with
        {
            Sending = account.Sending + 1,
            RequestSlot = slot + SlotSchedule.Length(1, ask.Limits.RequestsPerMinute),
            TokenSlot = slot + SlotSchedule.Length(ask.Tokens, ask.Limits.TokensPerMinute),
        };
        var spend = Spends[scope];
        Spends[scope] = spend with { Reserved = spend.Reserved + amount, InDoubt = spend.InDoubt - again };
        Leases[key] = new CallLease(ask.Ticket, ask.Scope.Run, ask.Scope.Iteration, amount, InDoubt: false);
        ChangedLeases.Add(key);
        return new Booking.Granted(slot - now);
    }

    /// <summary>Whether the call would exceed a limit, or might together with the calls under way, which may turn out cheaper.</summary>
    private Booking? Refusal(CallScope scope, CallAmount amount, CallAmount again)
    {
        var budget = scope.Budget;
        var iteration = Spends[(scope.Run, scope.Iteration)];
        var run = Spends.Where(s => s.Key.Run == scope.Run).Select(s => s.Value)
            .Aggregate((a, b) => new CallSpend(0, a.Spent + b.Spent, a.Reserved + b.Reserved, a.InDoubt + b.InDoubt));
        return Check(run, $"run '{scope.Run}'", budget.Run, budget.RunTokens, BudgetLimit.Run, BudgetLimit.RunTokens)
            ?? Check(
                iteration, $"iteration {scope.Iteration} of run '{scope.Run}'", budget.Iteration, budget.IterationTokens,
                BudgetLimit.Iteration, BudgetLimit.IterationTokens);

        Booking? Check(CallSpend spend, string whose, decimal money, long tokens, BudgetLimit moneyLimit, BudgetLimit tokenLimit)
        {
            var spent = spend.Spent + spend.InDoubt;
            var (certain, possible) = (spent - again + amount, spent + spend.Reserved - again + amount);
            return money > 0 && certain.Money > money ? new Booking.OverBudget(moneyLimit, Text(
                $"{whose}: ${spent.Money:0.######} of ${money:0.######} is spent, and the next call may cost ${amount.Money:0.######} more"))
                : tokens > 0 && certain.Tokens > tokens ? new Booking.OverBudget(tokenLimit, Text(
                    $"{whose}: {spent.Tokens} of {tokens} tokens are spent, and the next call may take {amount.Tokens} more"))
                : (money > 0 && possible.Money > money) || (tokens > 0 && possible.Tokens > tokens) ? new Booking.Full()
                : null;
        }
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
