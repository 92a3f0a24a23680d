namespace Alt.Infra.Audits;

/// <summary>The audit's queries. Each is served by an index; <c>./alt bench audit</c> measures them and shows which.</summary>
internal static class AuditSql
{
    /// <summary>$1 run, $2 iteration, $3 prompt, $4 k.</summary>
    public const string Sample = """
        select chunk, policy, conditioning, seed, finish_reason, outcome, reward, quantiles, decisions
        from alt_samples where run = $1 and iteration = $2 and prompt = $3 and k = $4
        """;

    /// <summary>$1 run, $2 iteration, $3 prompt, $4 k.</summary>
    public const string SampleSteps = """
        select distinct training, step from alt_training_steps
        where run = $1 and iteration = $2 and prompt = $3 and k = $4 order by training, step
        """;

    /// <summary>$1 stream, $2 stage, $3 chunk.</summary>
    public const string Chunk = """
        select data from mt_events
        where stream_id = $1 and type = 'chunk_finished' and data ->> 'Stage' = $2 and (data ->> 'Chunk')::int = $3
        order by version desc limit 1
        """;

    /// <summary>$1 streams. Events that are one of their kind in an iteration.</summary>
    public const string Summaries = """
        select stream_id, type, data from mt_events
        where stream_id = any($1) and type <> 'chunk_finished' order by stream_id, version
        """;

    /// <summary>$1 streams, $2 the last event that counts, $3 the latest time that counts.</summary>
    public const string PoolEvent = """
        select seq_id, stream_id, timestamp, data from mt_events
        where stream_id = any($1) and type = 'data_pool_updated' and seq_id <= $2 and timestamp <= $3 order by seq_id desc limit 1
        """;

    /// <summary>$1 stream, $2 the last event that counts, $3 the latest time that counts.</summary>
    public const string SelectionEvent = """
        select data from mt_events
        where stream_id = $1 and type = 'batch_selected' and seq_id <= $2 and timestamp <= $3
        """;

    /// <summary>
    /// $1 run, $2 the pool's iteration, $3 the first iteration that the pool can hold samples of, $4 how many, $5 to $7 the sample to
    /// continue after.
    /// </summary>
    public const string PoolEntries = """
        select iteration, prompt, k, reward, quantiles[$2 - iteration + 1], finish_reason, decisions[$2 - iteration + 1]
        from alt_samples
        where run = $1 and iteration >= $3 and iteration <= $2 and quantiles[$2 - iteration + 1] is not null and (iteration, prompt, k) > ($5, $6, $7)
        order by iteration, prompt, k limit $4
        """;

    /// <summary>$1 run, $2 and $3 iterations.</summary>
    public const string Moves = """
        select from_quantile, to_quantile, samples from alt_pool_moves
        where run = $1 and from_iteration = $2 and to_iteration = $3 order by from_quantile, to_quantile
        """;

    /// <summary>$1 run.</summary>
    public const string JudgeCosts = """
        select iteration, sum(calls)::bigint, sum(attempts)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint, sum(cost)
        from alt_judge_costs where run = $1 group by iteration
        """;

    /// <summary>$1 streams, $2 the event to continue after, $3 how many.</summary>
    public const string EventsAfter = """
        select seq_id, stream_id, version, type, timestamp, data from mt_events
        where stream_id = any($1) and seq_id > $2 order by seq_id limit $3
        """;

    /// <summary>$1 streams, $2 how many.</summary>
    public const string LastEvents = """
        select * from (
            select seq_id, stream_id, version, type, timestamp, data from mt_events
            where stream_id = any($1) order by seq_id desc limit $2) as latest
        order by seq_id
        """;
}
