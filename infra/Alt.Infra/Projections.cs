using Alt.Domain;

namespace Alt.Infra;

/// <summary>A change of the projections, made in the transaction of the event that it follows from; <c>?</c> stands for each parameter.</summary>
public sealed record ProjectionChange(string Sql, params object[] Parameters);

/// <summary>
/// The SQL tables beside the event streams, changed in the transaction of the event that changes them: <c>alt_runs</c>, one row per run,
/// and <c>alt_samples</c>, one row per sample. Texts stay in the artifacts.
/// </summary>
public static class Projections
{
    internal const string Schema = """
        create table if not exists alt_runs (
            run text primary key,
            started timestamptz not null
        );
        create table if not exists alt_samples (
            run text not null,
            iteration int not null,
            prompt int not null,
            k int not null,
            chunk int not null,
            policy text not null,
            seed bigint not null,
            finish_reason text not null,
            tokens int not null,
            outcome text,
            reward double precision,
            quantile int,
            selected_in int[] not null default '{}',
            left_out text,
            primary key (run, iteration, prompt, k)
        )
        """;

    public static ProjectionChange AddRun(string run, DateTimeOffset started) =>
        new("insert into alt_runs (run, started) values (?, ?)", run, started);

    public static ProjectionChange AddSamples(string run, int chunk, string policy, long seed, IReadOnlyList<Sample> samples) =>
        new(
            """
            insert into alt_samples (run, iteration, prompt, k, chunk, policy, seed, finish_reason, tokens)
            select ?, s.iteration, s.prompt, s.k, ?, ?, ?, s.finish_reason, s.tokens
            from unnest(?, ?, ?, ?, ?) as s (iteration, prompt, k, finish_reason, tokens)
            """,
            run, chunk, policy, seed,
            Column(samples, s => s.Id.Iteration), Column(samples, s => s.Id.Prompt), Column(samples, s => s.Id.K),
            Column(samples, s => s.FinishReason.ToString()), Column(samples, s => s.Tokens.Length));

    public static ProjectionChange SetOutcomes(string run, IReadOnlyList<(SampleId Id, FeedbackOutcome Outcome)> judged) =>
        new(
            """
            update alt_samples a set outcome = s.outcome, reward = s.reward
            from unnest(?, ?, ?, ?, ?) as s (iteration, prompt, k, outcome, reward)
            where a.run = ? and a.iteration = s.iteration and a.prompt = s.prompt and a.k = s.k
            """,
            Column(judged, j => j.Id.Iteration), Column(judged, j => j.Id.Prompt), Column(judged, j => j.Id.K),
            Column(judged, j => j.Outcome.GetType().Name), Column(judged, j => (j.Outcome as FeedbackOutcome.Labelled)?.Reward), run);

    public static ProjectionChange SetQuantiles(string run, IReadOnlyList<PoolEntry> pool) =>
        new(
            """
            update alt_samples a set quantile = s.quantile
            from unnest(?, ?, ?, ?) as s (iteration, prompt, k, quantile)
            where a.run = ? and a.iteration = s.iteration and a.prompt = s.prompt and a.k = s.k
            """,
            Column(pool, e => e.Sample.Id.Iteration), Column(pool, e => e.Sample.Id.Prompt), Column(pool, e => e.Sample.Id.K), Column(pool, e => e.Quantile), run);

    public static ProjectionChange SetSelection(string run, int iteration, IReadOnlyList<SelectedSample> decisions) =>
        new(
            """
            update alt_samples a
            set left_out = s.left_out, selected_in = case when s.left_out is null then a.selected_in || ? else a.selected_in end
            from unnest(?, ?, ?, ?) as s (iteration, prompt, k, left_out)
            where a.run = ? and a.iteration = s.iteration and a.prompt = s.prompt and a.k = s.k
            """,
            iteration,
            Column(decisions, d => d.Id.Iteration), Column(decisions, d => d.Id.Prompt), Column(decisions, d => d.Id.K), Column(decisions, d => d.LeftOut?.ToString()), run);

    private static TColumn[] Column<TRow, TColumn>(IReadOnlyList<TRow> rows, Func<TRow, TColumn> value) => [.. rows.Select(value)];
}
