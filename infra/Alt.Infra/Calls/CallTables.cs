namespace Alt.Infra.Calls;

/// <summary>The tables of calls (see docs/judges.md). Beside money, nothing in them can be derived from the record.</summary>
internal static class CallTables
{
    /// <summary>Number of the advisory lock that the process creating the tables holds: "call" in ASCII.</summary>
    public const long Lock = 0x63616C6C;

    // Rows of leases, workers, accounts and spends change with every call: the free space keeps most of those changes out of the indexes.
    public const string Create = """
        create table if not exists alt_calls (
            hash text primary key,
            service text not null,
            model text not null,
            payer text not null,
            reply text not null,
            input_tokens int not null,
            output_tokens int not null,
            cost numeric not null,
            attempts int not null,
            at timestamptz not null
        );
        create table if not exists alt_call_accounts (
            account text primary key,
            request_slot timestamptz not null default 'epoch',
            token_slot timestamptz not null default 'epoch'
        ) with (fillfactor = 50);
        create table if not exists alt_call_workers (
            account text not null,
            pid int not null,
            started timestamptz not null,
            sending int not null,
            primary key (account, pid, started)
        ) with (fillfactor = 50);
        create table if not exists alt_call_leases (
            account text not null,
            hash text not null,
            ticket uuid not null,
            pid int,
            started timestamptz,
            run text not null,
            iteration int not null,
            money numeric not null,
            tokens bigint not null,
            primary key (account, hash)
        );
        create table if not exists alt_call_spend (
            run text not null,
            iteration int not null,
            money numeric not null default 0,
            tokens bigint not null default 0,
            reserved_money numeric not null default 0,
            reserved_tokens bigint not null default 0,
            doubt_money numeric not null default 0,
            doubt_tokens bigint not null default 0,
            primary key (run, iteration)
        ) with (fillfactor = 50);
        """;

    internal const string Spends = "run, iteration, money, tokens, reserved_money, reserved_tokens, doubt_money, doubt_tokens";

    // A worker counts as alive as long as the PostgreSQL session that identifies it.
    private const string Lives = "exists (select from pg_stat_get_activity(w.pid) a where a.backend_start = w.started)";

    /// <summary>The session's own name.</summary>
    public const string Self = "select pid, backend_start from pg_stat_get_activity(pg_backend_pid())";

    /// <summary>
    /// Takes over the calls that the same process had under way before it lost its session. $1, $2: the old one; $3, $4: the new one.
    /// </summary>
    public const string AdoptWorkers = "update alt_call_workers set pid = $3, started = $4 where pid = $1 and started = $2";

    /// <inheritdoc cref="AdoptWorkers"/>
    public const string AdoptLeases = "update alt_call_leases set pid = $3, started = $4 where pid = $1 and started = $2";

    // ---- What a batch reads. All processes lock rows in the same order.

    public const string AddAccounts = "insert into alt_call_accounts (account) select * from unnest($1::text[]) on conflict do nothing";

    public const string AddSpends = "insert into alt_call_spend (run, iteration) select * from unnest($1::text[], "
        + "$2::int[]) on conflict do nothing";

    public const string LockAccounts = "select account, request_slot, token_slot from alt_call_accounts where account = any($1) "
        + "order by account for update";

    public const string LockSpends = $"select {Spends} from alt_call_spend where run = any($1) order by run, iteration for update";

    public const string Now = "select clock_timestamp()";

    public const string Workers = $"select w.account, w.pid, w.started, w.sending, {Lives} from alt_call_workers w where account = any($1)";

    public const string Leases = "select account, hash, ticket, run, iteration, money, tokens, pid is null from alt_call_leases where "
        + "(account, hash) in (select * from unnest($1::text[], $2::text[]))";

    public const string Replies = "select hash, service, model, payer, reply, input_tokens, output_tokens, cost, attempts, at from "
        + "alt_calls where hash = any($1)";

    // ---- What it writes.

    public const string SetAccounts = """
        update alt_call_accounts t set request_slot = n.request_slot, token_slot = n.token_slot
        from unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) n (account, request_slot, token_slot) where t.account = n.account
        """;

    /// <summary>$3, $4: the worker.</summary>
    public const string SetWorkers = """
        insert into alt_call_workers (account, sending, pid, started) select n.account, n.sending, $3, $4 from unnest($1::text[], $2::int[]) n (account, sending)
        on conflict (account, pid, started) do update set sending = excluded.sending
        """;

    public const string SetSpends = """
        update alt_call_spend t set money = n.money, tokens = n.tokens, reserved_money = n.reserved_money, reserved_tokens = n.reserved_tokens, doubt_money = n.doubt_money, doubt_tokens = n.doubt_tokens
        from unnest($1::text[], $2::int[], $3::numeric[], $4::bigint[], $5::numeric[], $6::bigint[], $7::numeric[], $8::bigint[])
            n (run, iteration, money, tokens, reserved_money, reserved_tokens, doubt_money, doubt_tokens)
        where t.run = n.run and t.iteration = n.iteration
        """;

    public const string EndLeases = "delete from alt_call_leases t using unnest($1::text[], $2::text[]) n (account, hash) where t.account "
        + "= n.account and t.hash = n.hash";

    public const string SetLeases = """
        insert into alt_call_leases (account, hash, ticket, pid, started, run, iteration, money, tokens)
        select * from unnest($1::text[], $2::text[], $3::uuid[], $4::int[], $5::timestamptz[], $6::text[], $7::int[], $8::numeric[], $9::bigint[])
        on conflict (account, hash) do update set ticket = excluded.ticket, pid = excluded.pid, started = excluded.started,
            run = excluded.run, iteration = excluded.iteration, money = excluded.money, tokens = excluded.tokens
        """;

    public const string AddReplies = """
        insert into alt_calls (hash, service, model, payer, reply, input_tokens, output_tokens, cost, attempts, at)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::numeric[], $9::int[], $10::timestamptz[])
        on conflict (hash) do nothing
        """;

    // ---- What is done for workers that have died.

    public const string LockSpendsOfDead = $"""
        select from alt_call_spend s
        where exists (select from alt_call_leases l join alt_call_workers w using (account, pid, started) where w.account = any($1) and not {Lives} and l.run = s.run and l.iteration = s.iteration)
        order by run, iteration for update
        """;

    /// <summary>Puts the calls of dead workers in doubt.</summary>
    public const string BuryDead = $"""
        with dead as (
            delete from alt_call_workers w where account = any($1) and not {Lives} returning account, pid, started
        ), doubtful as (
            update alt_call_leases l set pid = null, started = null from dead d
            where l.account = d.account and l.pid = d.pid and l.started = d.started returning l.run, l.iteration, l.money, l.tokens
        ), sums as (
            select run, iteration, sum(money) as money, sum(tokens)::bigint as tokens from doubtful group by run, iteration
        )
        update alt_call_spend s set
            reserved_money = s.reserved_money - n.money, reserved_tokens = s.reserved_tokens - n.tokens,
            doubt_money = s.doubt_money + n.money, doubt_tokens = s.doubt_tokens + n.tokens
        from sums n where s.run = n.run and s.iteration = n.iteration
        """;

    // ---- Questions and errands from outside.

    public const string Forget = "delete from alt_calls where hash = any($1)";
}
