using JasperFx;
using JasperFx.Events;
using JasperFx.Events.Projections;
using Marten;
using Npgsql;

namespace Alt.Tests.Infra.Marten;

/// <summary>The database objects are those of Marten 9.29 with its defaults, to the name, so that either may open the other's store.</summary>
public sealed class SchemaTests(StoreFixture database) : StoreTest(database)
{
    public sealed record Note(string Id);

    private Task<string[]> ColumnsAsync(string table) => QueryAsync($"""
        select concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end, pg_get_expr(d.adbin, d.adrelid))
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = '{Schema}.{table}'::regclass and a.attnum > 0 order by a.attnum
        """);

    private async Task<string[]> KeysAsync(string table) =>
        [.. (await QueryAsync($"""
            select indexdef from pg_indexes where schemaname = '{Schema}' and tablename = '{table}'
            union all select conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where conrelid = '{Schema}.{table}'::regclass and contype = 'f'
            order by 1
            """)).Select(text => text.Replace(Schema + ".", "", StringComparison.Ordinal))];

    [Fact]
    public async Task Streams_have_Martens_columns()
    {
        Assert.Equal(
            [
                "id character varying not null",
                "type character varying",
                "version bigint",
                "timestamp timestamp with time zone not null now()",
                "created timestamp with time zone not null now()",
                "tenant_id character varying '*DEFAULT*'::character varying",
                "is_archived boolean false",
            ],
            await ColumnsAsync("mt_streams"));
        Assert.Equal(["CREATE UNIQUE INDEX pkey_mt_streams_id ON mt_streams USING btree (id)"], await KeysAsync("mt_streams"));
    }

    [Fact]
    public async Task Events_have_Martens_columns()
    {
        string[] columns = await ColumnsAsync("mt_events");

        // The default of the timestamp is the moment at which the table was made: a literal, as Marten's own.
        Assert.StartsWith("timestamp timestamp with time zone not null '20", columns[7], StringComparison.Ordinal);
        Assert.Equal(
            [
                "seq_id bigint not null",
                "id uuid not null",
                "stream_id character varying",
                "version bigint not null",
                "data jsonb not null",
                "bdata bytea",
                "type character varying(500) not null",
                columns[7],
                "tenant_id character varying '*DEFAULT*'::character varying",
                "mt_dotnet_type character varying",
                "is_archived boolean false",
            ],
            columns);
        Assert.Equal(
            [
                "CREATE UNIQUE INDEX pk_mt_events_stream_and_version ON mt_events USING btree (stream_id, version)",
                "CREATE UNIQUE INDEX pkey_mt_events_seq_id ON mt_events USING btree (seq_id)",
                "fkey_mt_events_stream_id FOREIGN KEY (stream_id) REFERENCES mt_streams(id) ON DELETE CASCADE",
            ],
            await KeysAsync("mt_events"));
        Assert.Equal([$"{Schema}.mt_events_sequence"], await QueryAsync($"select pg_get_serial_sequence('{Schema}.mt_events', 'seq_id')"));
        Assert.Equal(["bigint 1 1 1"], await QueryAsync($"select concat_ws(' ', data_type, start_value, increment_by, cache_size) from pg_sequences where schemaname = '{Schema}'"));
    }

    [Fact]
    public async Task The_daemons_tables_are_there_for_the_official_library()
    {
        Assert.Equal(
            [
                "name character varying not null",
                "last_seq_id bigint",
                "last_updated timestamp with time zone transaction_timestamp()",
            ],
            await ColumnsAsync("mt_event_progression"));
        Assert.Equal(["CREATE UNIQUE INDEX pk_mt_event_progression ON mt_event_progression USING btree (name)"], await KeysAsync("mt_event_progression"));
        Assert.Equal(
            [
                "ending_sequence bigint not null",
                "starting_sequence bigint not null",
                "timestamp timestamp with time zone transaction_timestamp()",
            ],
            await ColumnsAsync("mt_high_water_skips"));
        Assert.Equal("id uuid not null", (await ColumnsAsync("mt_doc_deadletterevent"))[0]);
    }

    [Fact]
    public async Task Functions_have_Martens_signatures()
    {
        Assert.Equal(
            [
                "mt_archive_stream(streamid character varying) void",
                "mt_mark_event_progression(name character varying, last_encountered bigint) void",
                "mt_mark_progression_with_skip(shard_name character varying, ending_sequence bigint, starting_sequence bigint) bigint",
                "mt_quick_append_events(stream character varying, stream_type character varying, tenantid character varying, event_ids uuid[], event_types character varying[], "
                + "dotnet_types character varying[], bodies jsonb[], bdatas bytea[], timestamps timestamp with time zone[], expected_version bigint DEFAULT NULL::bigint) bigint[]",
            ],
            await QueryAsync($"select format('%s(%s) %s', proname, pg_get_function_arguments(oid), prorettype::regtype) from pg_proc where pronamespace = '{Schema}'::regnamespace order by 1"));
    }

    [Fact]
    public async Task Documents_and_snapshots_have_Martens_columns()
    {
        DocumentStore store = Open(options =>
        {
            options.RegisterDocumentType<Note>();
            options.Projections.Snapshot<QuestParty>(SnapshotLifecycle.Inline);
        });
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();

        Assert.Equal(
            [
                "id character varying not null",
                "data jsonb not null",
                "mt_last_modified timestamp with time zone transaction_timestamp()",
                "mt_version uuid not null (md5(((random())::text || (clock_timestamp())::text)))::uuid",
                "mt_dotnet_type character varying",
            ],
            await ColumnsAsync("mt_doc_schematests_note"));
        Assert.Equal(["CREATE UNIQUE INDEX pkey_mt_doc_schematests_note_id ON mt_doc_schematests_note USING btree (id)"], await KeysAsync("mt_doc_schematests_note"));
        Assert.Equal(
            [
                "id character varying not null",
                "data jsonb not null",
                "mt_last_modified timestamp with time zone transaction_timestamp()",
                "mt_dotnet_type character varying",
                "mt_version bigint not null 0",
            ],
            await ColumnsAsync("mt_doc_questparty"));
    }

    [Fact]
    public async Task A_store_with_Guid_streams_has_uuid_columns()
    {
        DocumentStore store = Open(options =>
        {
            options.Events.StreamIdentity = StreamIdentity.AsGuid;
            options.DatabaseSchemaName = Schema + "_guid";
        });
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();

        Assert.Equal(["uuid", "uuid"], await QueryAsync($"""
            select format_type(atttypid, atttypmod) from pg_attribute
            where (attrelid, attname) in (('{Schema}_guid.mt_streams'::regclass, 'id'), ('{Schema}_guid.mt_events'::regclass, 'stream_id'))
            """));
    }

    [Fact]
    public async Task Stores_that_open_at_once_create_everything_once()
    {
        string schema = Schema + "_race";
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            await using IDocumentSession session = Open(options => options.DatabaseSchemaName = schema).LightweightSession();
            session.Events.Append($"stream-{i}", new QuestStarted("Ring"));
            session.Store(new Note($"note-{i}"));
            await session.SaveChangesAsync();
        })));

        Assert.Equal(["4"], await QueryAsync($"select count(*) from {schema}.mt_streams"));
    }

    [Fact]
    public async Task Nothing_is_created_where_that_is_not_allowed()
    {
        DocumentStore store = Open(options =>
        {
            options.DatabaseSchemaName = Schema + "_none";
            options.AutoCreateSchemaObjects = AutoCreate.None;
        });
        await using IDocumentSession session = store.LightweightSession();
        session.Events.Append("stream", new QuestStarted("Ring"));

        var error = await Assert.ThrowsAsync<global::Marten.Exceptions.MartenCommandException>(() => session.SaveChangesAsync());

        Assert.IsType<PostgresException>(error.InnerException);
        Assert.Equal(["0"], await QueryAsync($"select count(*) from pg_namespace where nspname = '{Schema}_none'"));
    }

    [Fact]
    public async Task The_body_of_a_function_that_the_official_library_wrote_is_kept()
    {
        await ExecuteAsync($"comment on function {Schema}.mt_archive_stream(varchar) is 'theirs'");

        await Open(_ => { }).Storage.ApplyAllConfiguredChangesToDatabaseAsync();

        Assert.Equal(["theirs"], await QueryAsync($"select obj_description('{Schema}.mt_archive_stream(varchar)'::regprocedure)"));
    }

    [Fact]
    public async Task Progress_of_a_daemon_is_marked_and_skips_only_from_where_it_was()
    {
        await ExecuteAsync($"select {Schema}.mt_mark_event_progression('HighWaterMark', 5)");
        Assert.Equal(["9"], await QueryAsync($"select {Schema}.mt_mark_progression_with_skip('HighWaterMark', 9, 5)"));
        Assert.Equal(["9"], await QueryAsync($"select {Schema}.mt_mark_progression_with_skip('HighWaterMark', 20, 5)"));

        Assert.Equal(["9"], await QueryAsync($"select last_seq_id from {Schema}.mt_event_progression"));
        Assert.Equal(["9 5"], await QueryAsync($"select concat_ws(' ', ending_sequence, starting_sequence) from {Schema}.mt_high_water_skips"));
    }

    [Fact]
    public async Task A_store_can_be_emptied_and_removed()
    {
        await AppendAsync("stream", new QuestStarted("Ring"));
        await Store.Advanced.Clean.DeleteAllEventDataAsync();
        Assert.Empty(await DataAsync("stream"));

        await Store.Advanced.Clean.CompletelyRemoveAllAsync();
        Assert.Equal(["0"], await QueryAsync($"select count(*) from pg_class where relnamespace = '{Schema}'::regnamespace"));

        await AppendAsync("stream", new QuestStarted("Ring"));
        Assert.Single(await DataAsync("stream"));
    }
}
