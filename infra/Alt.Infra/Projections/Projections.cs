using Alt.Domain;
using Npgsql;
using NpgsqlTypes;

namespace Alt.Infra;

/// <summary>
/// The SQL tables beside the event streams (see docs/audit.md), changed in the transaction of the event that changes them and always
/// derivable again from events and artifacts. Rows are sent by COPY. Texts stay in the artifacts.
/// </summary>
internal static class Projections
{
    /// <summary>Changes with the tables below, so that tables of another version are detected and rebuilt.</summary>
    public const string Version = "alt projections 3";

    public const string CurrentVersion = "select obj_description(to_regclass('alt_samples'), 'pg_class')";

    public static readonly IReadOnlyList<string> Tables = [
        "alt_runs", "alt_samples", "alt_judge_calls", "alt_judge_costs", "alt_pool_moves", "alt_training_steps"
    ];

    public static readonly string Drop = $"drop table if exists {string.Join(", ", Tables)}";

    // Rows of alt_samples change with every pool that they are in: the free space keeps those changes out of the index.
    public const string Create = $$"""
        create table alt_runs (
            run text primary key,
            started timestamptz not null
        );
        create table alt_samples (
            run text not null,
            iteration int not null,
            prompt int not null,
            k int not null,
            chunk int not null,
            policy text not null,
            conditioning text,
            seed bigint not null,
            finish_reason text not null,
            tokens int not null,
            outcome text,
            reward double precision,
            quantiles int[] not null default '{}',
            decisions text[] not null default '{}',
            training_steps int not null default 0,
            primary key (run, iteration, prompt, k)
        ) with (fillfactor = 70);
        create table alt_judge_calls (
            run text not null,
            iteration int not null,
            prompt int not null,
            k int not null,
            call int not null,
            judge text not null,
            version text not null,
            request_hash text not null,
            input_tokens int not null,
            output_tokens int not null,
            cost numeric not null,
            attempts int not null,
            outcome text not null,
            primary key (run, iteration, prompt, k, call)
        );
        create table alt_judge_costs (
            run text not null,
            iteration int not null,
            judge text not null,
            version text not null,
            outcome text not null,
            calls bigint not null,
            attempts bigint not null,
            input_tokens bigint not null,
            output_tokens bigint not null,
            cost numeric not null,
            primary key (run, iteration, judge, version, outcome)
        );
        create table alt_pool_moves (
            run text not null,
            from_iteration int not null,
            to_iteration int not null,
            from_quantile int not null,
            to_quantile int not null,
            samples bigint not null,
            primary key (run, from_iteration, to_iteration, from_quantile, to_quantile)
        );
        create table alt_training_steps (
            run text not null,
            training int not null,
            step int not null,
            position int not null,
            iteration int not null,
            prompt int not null,
            k int not null,
            primary key (run, training, step, position)
        );
        create index alt_training_steps_of_sample on alt_training_steps (run, iteration, prompt, k);
        comment on table alt_samples is '{{Version}}'
        """;

    /// <summary>
    /// Empty tables that hide those of the same names from the session, until the transaction ends. Statements that it has prepared
    /// would still use the hidden ones if their plans were not discarded.
    /// </summary>
    public static readonly string CreateTemporary =
        $"{string.Concat(Tables.Select(table => $"create temp table {table} (like public.{table} including all) on commit drop; "))}"
        + "discard plans";

    private const string SameSample = "a.run = $1 and a.iteration = c.iteration and a.prompt = c.prompt and a.k = c.k";

    /// <summary>The columns of a table's primary key.</summary>
    public static string KeyOf(string table) => $"""
        select string_agg(a.attname, ', ' order by a.attnum)
        from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
        where i.indrelid = 'public.{table}'::regclass and i.indisprimary
        """;

    /// <summary>$1 run: the key of the first row that only the table has, or only the temporary one of its name.</summary>
    public static string FirstDifference(string table, string key) => $"""
        select concat_ws('/', {key}) from (
            (select * from public.{table} where run = $1 except select * from pg_temp.{table})
            union
            (select * from pg_temp.{table} except select * from public.{table} where run = $1)
        ) different
        order by {key} limit 1
        """;

    public static ProjectionChange AddRun(string run, DateTimeOffset started) => (connection, token) =>
        ExecuteAsync(connection, "insert into alt_runs (run, started) values ($1, $2)", token, run, started.ToUniversalTime());

    /// <param name="policy">Hash of the weights that drew the samples.</param>
    /// <param name="conditioning">The feedback that they were given, unless a sample was given its own; null for none.</param>
    public static ProjectionChange AddSamples(
        string run, int chunk, string policy, string? conditioning, long seed, IReadOnlyList<SampleShape> samples) => (connection, token) =>
        CopyAsync(
            connection, "alt_samples (run, iteration, prompt, k, chunk, policy, conditioning, seed, finish_reason, tokens)", samples,
            async (row, s) =>
            {
                await row.WriteAsync(run, NpgsqlDbType.Text, token);
                await WriteAsync(row, s.Id, token);
                await row.WriteAsync(chunk, NpgsqlDbType.Integer, token);
                await row.WriteAsync(policy, NpgsqlDbType.Text, token);
                await ((s.Conditioning ?? conditioning) is { } given
                    ? row.WriteAsync(given, NpgsqlDbType.Text, token)
                    : row.WriteNullAsync(token));
                await row.WriteAsync(seed, NpgsqlDbType.Bigint, token);
                await row.WriteAsync(
                    s.FinishReason == FinishReason.Stop ? nameof(FinishReason.Stop) : nameof(FinishReason.Length), NpgsqlDbType.Text,
                    token);
                await row.WriteAsync(s.Tokens.Length, NpgsqlDbType.Integer, token);
            },
            token);

    public static ProjectionChange AddJudgements(string run, int iteration, IReadOnlyList<Judgement> judged) => async (connection, token) =>
    {
        // A chunk's judgements fit into one statement; a staging table would cost as much as the change itself.
        await ExecuteAsync(
            connection,
            $"""
            update alt_samples a set outcome = c.outcome, reward = c.reward
            from unnest($2, $3, $4, $5, $6) as c (iteration, prompt, k, outcome, reward)
            where {SameSample}
            """,
            token, run, Column(j => j.Id.Iteration), Column(j => j.Id.Prompt), Column(j => j.Id.K), Column(OutcomeOf),
            Column(j => (j.Outcome as FeedbackOutcome.Labelled)?.Reward));

        var calls = judged.SelectMany(j => j.Calls.Select((call, i) => (Judgement: j, Call: call, Number: i))).ToArray();
        await CopyAsync(
            connection,
            "alt_judge_calls (run, iteration, prompt, k, call, judge, version, request_hash, input_tokens, output_tokens, "
                + "cost, attempts, outcome)",
            calls,
            async (row, c) =>
            {
                await row.WriteAsync(run, NpgsqlDbType.Text, token);
                await WriteAsync(row, c.Judgement.Id, token);
                await row.WriteAsync(c.Number, NpgsqlDbType.Integer, token);
                await row.WriteAsync(c.Call.Judge, NpgsqlDbType.Text, token);
                await row.WriteAsync(c.Call.Version, NpgsqlDbType.Text, token);
                await row.WriteAsync(c.Call.RequestHash, NpgsqlDbType.Text, token);
                await row.WriteAsync(c.Call.InputTokens, NpgsqlDbType.Integer, token);
                await row.WriteAsync(c.Call.OutputTokens, NpgsqlDbType.Integer, token);
                await row.WriteAsync(c.Call.Cost, NpgsqlDbType.Numeric, token);
                await row.WriteAsync(c.Call.Attempts, NpgsqlDbType.Integer, token);
                await row.WriteAsync(OutcomeOf(c.Judgement), NpgsqlDbType.Text, token);
            },
            token);
        foreach (var group in calls.GroupBy(c => (c.Call.Judge, c.Call.Version, Outcome: OutcomeOf(c.Judgement))))
        {
            await ExecuteAsync(
                connection,
                """
                insert into alt_judge_costs as c (run, iteration, judge, version, outcome, calls, attempts, input_tokens, output_tokens, cost)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                on conflict (run, iteration, judge, version, outcome) do update set
                    calls = c.calls + excluded.calls, attempts = c.attempts + excluded.attempts,
                    input_tokens = c.input_tokens + excluded.input_tokens, output_tokens = c.output_tokens + excluded.output_tokens, cost = c.cost + excluded.cost
                """,
                token, run, iteration, group.Key.Judge, group.Key.Version, group.Key.Outcome, group.LongCount(),
                group.Sum(c => (long)c.Call.Attempts),
                group.Sum(c => (long)c.Call.InputTokens), group.Sum(c => (long)c.Call.OutputTokens), group.Sum(c => c.Call.Cost));
        }

        T[] Column<T>(Func<Judgement, T> value) => [.. judged.Select(value)];
    };

    /// <summary>Replaces earlier judgements by a chunk's: samples in quarantine were judged again.</summary>
    public static ProjectionChange ReplaceJudgements(string run, int iteration, IReadOnlyList<Judgement> judged) =>
        async (connection, token) =>
        {
            await ExecuteAsync(
                connection,
                "delete from alt_judge_calls a using unnest($2, $3, $4) as c (iteration, prompt, k) where " + SameSample,
                token, run, judged.Select(j => j.Id.Iteration).ToArray(), judged.Select(j => j.Id.Prompt).ToArray(),
                judged.Select(j => j.Id.K).ToArray());
            await ExecuteAsync(connection, "delete from alt_judge_costs where run = $1 and iteration = $2", token, run, iteration);
            await ExecuteAsync(
                connection,
                """
            insert into alt_judge_costs (run, iteration, judge, version, outcome, calls, attempts, input_tokens, output_tokens, cost)
            select run, iteration, judge, version, outcome, count(*), sum(attempts), sum(input_tokens), sum(output_tokens), sum(cost)
            from alt_judge_calls where run = $1 and iteration = $2 group by 1, 2, 3, 4, 5
            """,
                token, run, iteration);
            await AddJudgements(run, iteration, judged)(connection, token);
        };

    /// <summary>
    /// Appends each sample's quantile: its n-th is the one in the pool of its own iteration + n - 1, since a sample is in consecutive
    /// pools.
    /// </summary>
    public static ProjectionChange AddPool(string run, int iteration, IReadOnlyList<PoolEntry> pool) => async (connection, token) =>
    {
        await StageAsync(
            connection, "quantile int", pool, e => e.Sample.Id, (row, e) => row.WriteAsync(e.Quantile, NpgsqlDbType.Integer, token), token);
        await ExecuteAsync(
            connection, $"update alt_samples a set quantiles = a.quantiles || c.quantile from alt_change c where {SameSample}", token, run);
        await ExecuteAsync(connection, "drop table alt_change", token);
        await ExecuteAsync(
            connection,
            """
            insert into alt_pool_moves (run, from_iteration, to_iteration, from_quantile, to_quantile, samples)
            select $1, earlier, $2, h.quantiles[earlier - h.iteration + 1], h.quantiles[$2 - h.iteration + 1], sum(h.samples)
            from (select iteration, quantiles, count(*) as samples from alt_samples where run = $1 and iteration < $2 group by iteration, quantiles) h,
                 generate_series(h.iteration, $2 - 1) as earlier
            where h.quantiles[$2 - h.iteration + 1] is not null
            group by 2, 4, 5
            """,
            token, run, iteration);
    };

    public static ProjectionChange AddSelection(string run, IReadOnlyList<SelectedSample> decisions) => async (connection, token) =>
    {
        await StageAsync(
            connection, "decision text", decisions, d => d.Id,
            (row, d) => row.WriteAsync(d.LeftOut?.ToString() ?? nameof(SelectedSample.Selected), NpgsqlDbType.Text, token), token);
        await ExecuteAsync(
            connection, $"update alt_samples a set decisions = a.decisions || c.decision from alt_change c where {SameSample}", token, run);
        await ExecuteAsync(connection, "drop table alt_change", token);
    };

    /// <param name="steps">The samples of each step, from step 1 on, in the order of drawing.</param>
    public static ProjectionChange AddTraining(string run, int training, IEnumerable<IReadOnlyList<SampleId>> steps) =>
        async (connection, token) =>
        {
            await CopyAsync(
                connection, "alt_training_steps (run, training, step, position, iteration, prompt, k)",
                steps.SelectMany((batch, step) => batch.Select((id, position) => (Step: step + 1, Position: position, Id: id))),
                async (row, s) =>
                {
                    await row.WriteAsync(run, NpgsqlDbType.Text, token);
                    await row.WriteAsync(training, NpgsqlDbType.Integer, token);
                    await row.WriteAsync(s.Step, NpgsqlDbType.Integer, token);
                    await row.WriteAsync(s.Position, NpgsqlDbType.Integer, token);
                    await WriteAsync(row, s.Id, token);
                },
                token);
            await ExecuteAsync(
                connection,
                $"""
            update alt_samples a set training_steps = a.training_steps + c.steps
            from (select iteration, prompt, k, count(distinct step) as steps from alt_training_steps where run = $1 and training = $2 group by 1, 2, 3) c
            where {SameSample}
            """,
                token, run, training);
        };

    private static string OutcomeOf(Judgement judgement) => judgement.Outcome.GetType().Name;

    /// <summary>Sends rows about samples to the temporary table <c>alt_change</c>.</summary>
    private static async Task StageAsync<T>(
        NpgsqlConnection connection, string columns, IReadOnlyList<T> rows, Func<T, SampleId> id, Func<NpgsqlBinaryImporter, T, Task> write,
        CancellationToken token)
    {
        await ExecuteAsync(connection, $"create temp table alt_change (iteration int, prompt int, k int, {columns}) on commit drop", token);
        await CopyAsync(
            connection, "alt_change", rows,
            async (row, value) =>
            {
                await WriteAsync(row, id(value), token);
                await write(row, value);
            },
            token);
        await ExecuteAsync(connection, "analyze alt_change", token);
    }

    private static async Task CopyAsync<T>(
        NpgsqlConnection connection, string table, IEnumerable<T> rows, Func<NpgsqlBinaryImporter, T, Task> write, CancellationToken token)
    {
        await using var import = await connection.BeginBinaryImportAsync($"copy {table} from stdin (format binary)", token);
        foreach (var row in rows)
        {
            await import.StartRowAsync(token);
            await write(import, row);
        }

        await import.CompleteAsync(token);
    }

    private static async Task WriteAsync(NpgsqlBinaryImporter row, SampleId id, CancellationToken token)
    {
        await row.WriteAsync(id.Iteration, NpgsqlDbType.Integer, token);
        await row.WriteAsync(id.Prompt, NpgsqlDbType.Integer, token);
        await row.WriteAsync(id.K, NpgsqlDbType.Integer, token);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken token, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await command.ExecuteNonQueryAsync(token);
    }
}
