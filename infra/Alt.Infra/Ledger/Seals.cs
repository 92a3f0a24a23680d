namespace Alt.Infra;

/// <summary>
/// The seals of events, one row of <c>alt_seals</c> each: SHA-256 over the seal of the event before it in its stream and over the event
/// itself, written in the event's transaction. They are no projection: nothing rebuilds them.
/// </summary>
internal static class Seals
{
    /// <summary>An event's columns in one canonical text, as PostgreSQL writes it.</summary>
    public const string Content =
        "jsonb_build_array(e.seq_id, e.id, e.stream_id, e.version, e.type, e.mt_dotnet_type, e.tenant_id, e.is_archived, extract(epoch "
        + "from e.timestamp), encode(e.bdata, 'hex'), e.data)::text";

    public const string Table = "alt_seals";

    /// <summary>$1 run: the streams of one run, with all its iterations.</summary>
    public const string OfRun = "(stream = 'run-' || $1 or starts_with(stream, 'iteration-' || $1 || '-') and substr(stream, "
        + "length($1) + 12) ~ '^[0-9]+$')";

    public const string Exists = $"select to_regclass('{Table}') is not null";

    /// <summary>Creates the table, and seals the events recorded before it existed.</summary>
    public static readonly string Create = $"""
        create table {Table} (
            stream varchar not null,
            version bigint not null,
            seal bytea not null,
            primary key (stream, version)
        );
        {Chain("e.version = 1")}
        """;

    /// <summary>Seals all events of a stream that has just been started.</summary>
    public static readonly string AppendStream = Chain("e.version = 1 and e.stream_id = ?");

    /// <summary>Seals the event with this stream and version.</summary>
    public const string Append = $"""
        insert into {Table} (stream, version, seal)
        select e.stream_id, e.version, sha256(coalesce(before.seal, '') || convert_to({Content}, 'UTF8'))
        from mt_events e left join {Table} before on before.stream = e.stream_id and before.version = e.version - 1
        where e.stream_id = ? and e.version = ?
        """;

    private static string Chain(string first) => $"""
        insert into {Table} (stream, version, seal)
        with recursive chain as (
            select e.stream_id, e.version, sha256(convert_to({Content}, 'UTF8')) as seal from mt_events e where {first}
            union all
            select e.stream_id, e.version, sha256(chain.seal || convert_to({Content}, 'UTF8'))
            from chain join mt_events e on e.stream_id = chain.stream_id and e.version = chain.version + 1
        )
        select stream_id, version, seal from chain
        """;
}
