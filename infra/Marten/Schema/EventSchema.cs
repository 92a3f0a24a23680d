using Marten.Events;

namespace Marten.Schema;

/// <summary>The tables, sequence and functions of the event store, named and shaped as Marten 9 with its defaults has them.</summary>
internal static class EventSchema
{
    /// <summary>All of it, each statement harmless where the object exists.</summary>
    public static string Create(EventGraph events)
    {
        string s = events.DatabaseSchemaName;
        string id = events.StreamIdType;
        return $"""
            create schema if not exists {s};

            create table if not exists {s}.mt_streams (
                id           {id}         not null,
                type         varchar      null,
                version      bigint       null,
                timestamp    timestamptz  not null default (now()),
                created      timestamptz  not null default (now()),
                tenant_id    varchar      null default '*DEFAULT*',
                is_archived  boolean      null default false,
                constraint pkey_mt_streams_id primary key (id)
            );

            -- The timestamp's default is a literal in Marten too; the column is always written.
            create table if not exists {s}.mt_events (
                seq_id          bigint        not null,
                id              uuid          not null,
                stream_id       {id}          null,
                version         bigint        not null,
                data            jsonb         not null,
                bdata           bytea         null,
                type            varchar(500)  not null,
                timestamp       timestamptz   not null default '(now())',
                tenant_id       varchar       null default '*DEFAULT*',
                mt_dotnet_type  varchar       null,
                is_archived     boolean       null default false,
                constraint pkey_mt_events_seq_id primary key (seq_id),
                constraint fkey_mt_events_stream_id foreign key (stream_id) references {s}.mt_streams (id) on delete cascade
            );
            create unique index if not exists pk_mt_events_stream_and_version on {s}.mt_events using btree (stream_id, version);
            create sequence if not exists {s}.mt_events_sequence;
            alter sequence {s}.mt_events_sequence owned by {s}.mt_events.seq_id;

            create table if not exists {s}.mt_event_progression (
                name          varchar      not null,
                last_seq_id   bigint       null,
                last_updated  timestamptz  null default (transaction_timestamp()),
                constraint pk_mt_event_progression primary key (name)
            );
            create table if not exists {s}.mt_high_water_skips (
                ending_sequence    bigint       not null,
                starting_sequence  bigint       not null,
                timestamp          timestamptz  null default (transaction_timestamp()),
                constraint pkey_mt_high_water_skips_ending_sequence primary key (ending_sequence)
            );
            {DocumentSchema.DeadLetters(s)}
            """;
    }

    /// <summary>Signature and definition of each function. One that exists is kept: the official library writes its own bodies.</summary>
    public static IEnumerable<(string Signature, string Definition)> Functions(EventGraph events)
    {
        string s = events.DatabaseSchemaName;
        string id = events.StreamIdType;

        yield return (
            $"{s}.mt_mark_event_progression(varchar, bigint)",
            $"""
            create function {s}.mt_mark_event_progression(name varchar, last_encountered bigint) returns void language plpgsql as $function$
            begin
                insert into {s}.mt_event_progression (name, last_seq_id, last_updated)
                values (name, last_encountered, transaction_timestamp())
                on conflict on constraint pk_mt_event_progression
                do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated;
            end
            $function$;
            """);

        yield return (
            $"{s}.mt_mark_progression_with_skip(varchar, bigint, bigint)",
            $"""
            create function {s}.mt_mark_progression_with_skip(shard_name varchar, ending_sequence bigint, starting_sequence bigint) returns bigint language plpgsql as $function$
            declare
                marked bigint;
            begin
                insert into {s}.mt_event_progression as p (name, last_seq_id, last_updated)
                values (shard_name, ending_sequence, transaction_timestamp())
                on conflict on constraint pk_mt_event_progression
                do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
                    where p.last_seq_id is null or p.last_seq_id = starting_sequence
                returning p.last_seq_id into marked;
                if marked is null then
                    select p.last_seq_id into marked from {s}.mt_event_progression as p where p.name = shard_name;
                elsif ending_sequence > starting_sequence then
                    insert into {s}.mt_high_water_skips values (ending_sequence, starting_sequence) on conflict do nothing;
                end if;
                return marked;
            end
            $function$;
            """);

        yield return (
            $"{s}.mt_archive_stream({id})",
            $"""
            create function {s}.mt_archive_stream(streamid {id}) returns void language plpgsql as $function$
            begin
                update {s}.mt_streams set is_archived = true where id = streamid;
                update {s}.mt_events set is_archived = true where stream_id = streamid;
            end
            $function$;
            """);

        yield return (
            $"{s}.mt_quick_append_events({id}, varchar, varchar, uuid[], varchar[], varchar[], jsonb[], bytea[], timestamptz[], bigint)",
            QuickAppend(s, id));
    }

    /// <summary>
    /// Appends events to one stream in one call, and answers the stream's version and the events' sequence numbers.
    /// The version is read without a lock: of two racing appends the slower one meets the unique index.
    /// </summary>
    private static string QuickAppend(string s, string id) =>
        $"""
        create function {s}.mt_quick_append_events(
            stream {id}, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[],
            bodies jsonb[], bdatas bytea[], timestamps timestamp with time zone[], expected_version bigint default null
        ) returns bigint[] language plpgsql as $function$
        declare
            before record;
            base bigint;
            sequences bigint[];
        begin
            select s.version, s.is_archived, s.tenant_id into before from {s}.mt_streams as s where s.id = stream;
            base := coalesce(before.version, 0);
            if expected_version is not null and base <> expected_version then
                raise exception 'Stream version mismatch on ''%'': expected %, actual %', stream, expected_version, base using errcode = 'MT003';
            end if;

            if before.version is null then
                insert into {s}.mt_streams (id, type, version, timestamp, tenant_id) values (stream, stream_type, 0, now(), tenantid);
            elsif before.is_archived then
                raise exception 'Attempted to append event to archived stream with Id ''%''.', stream using errcode = 'MT001';
            elsif before.tenant_id <> tenantid then
                raise exception 'The tenantid does not match the existing stream';
            end if;

            sequences := array(select nextval('{s}.mt_events_sequence') from generate_series(1, cardinality(event_ids)));
            insert into {s}.mt_events (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
            select g.seq, g.id, stream, base + g.position, g.body, g.bdata, g.type, g.at, tenantid, g.dotnet_type, false
            from unnest(sequences, event_ids, event_types, dotnet_types, bodies, bdatas, timestamps)
                with ordinality as g (seq, id, type, dotnet_type, body, bdata, at, position);

            update {s}.mt_streams as s set version = base + cardinality(event_ids), timestamp = now() where s.id = stream;
            return array[base + cardinality(event_ids)] || sequences;
        end
        $function$;
        """;
}
