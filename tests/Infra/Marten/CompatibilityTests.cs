using JasperFx.Events;
using JasperFx.Events.Projections;
using Marten;

namespace Alt.Tests.Infra.Marten;

/// <summary>
/// The official library and this one take turns on one store. The commands here are those that Marten 9.29 sends with its defaults.
/// </summary>
public sealed class CompatibilityTests(StoreFixture database) : StoreTest(database)
{
    private const string Joined = "Alt.Tests.Infra.Marten.MembersJoined, Alt.Tests";

    protected override void Configure(StoreOptions options) => options.Projections.Snapshot<QuestParty>(SnapshotLifecycle.Inline);

    /// <summary>What the official StartStream sends: a row for the stream, one insert per event.</summary>
    private Task StartTheirsAsync(string stream) => ExecuteAsync($$"""
        insert into {{Schema}}.mt_streams (id, type, version, tenant_id) values ('{{stream}}', 'quest_party', 2, '*DEFAULT*');
        insert into {{Schema}}.mt_events (data, type, mt_dotnet_type, bdata, id, stream_id, version, timestamp, tenant_id, seq_id)
        values ('{"Name":"Ring"}', 'quest_started', 'Alt.Tests.Infra.Marten.QuestStarted, Alt.Tests', null, gen_random_uuid(), '{{stream}}', 1, now(), '*DEFAULT*', nextval('{{Schema}}.mt_events_sequence'));
        insert into {{Schema}}.mt_events (data, type, mt_dotnet_type, bdata, id, stream_id, version, timestamp, tenant_id, seq_id)
        values ('{"Day":1,"Members":["Frodo"]}', 'members_joined', '{{Joined}}', null, gen_random_uuid(), '{{stream}}', 2, now(), '*DEFAULT*', nextval('{{Schema}}.mt_events_sequence'));
        """);

    /// <summary>What the official Append sends: one call of the function, here with the ten arguments of string streams.</summary>
    private async Task<string> AppendTheirsAsync(string stream, string members, string expectedVersion = "null") =>
        (await QueryAsync($$"""
            select array_to_string({{Schema}}.mt_quick_append_events('{{stream}}', 'quest_party', '*DEFAULT*', array[gen_random_uuid()], array['members_joined']::varchar[], array['{{Joined}}']::varchar[],
                array['{"Day":2,"Members":["{{members}}"]}']::jsonb[], array[null]::bytea[], array[now()]::timestamptz[], {{expectedVersion}}), ',')
            """)).Single();

    [Fact]
    public async Task A_stream_that_they_started_is_read_appended_to_and_aggregated()
    {
        await StartTheirsAsync("theirs");

        await AppendAsync("theirs", new MembersJoined(2, ["Sam"]));
        await using IDocumentSession session = Store.LightweightSession();
        IEventStream<QuestParty> stream = await session.Events.FetchForWriting<QuestParty>("theirs");

        Assert.Equal(["Frodo", "Sam"], stream.Aggregate!.Members);
        Assert.Equal(3, stream.StartingVersion);
        Assert.Equal(["1", "2", "3"], await QueryAsync("select seq_id from mt_events where stream_id = 'theirs' order by version"));
    }

    [Fact]
    public async Task Their_appends_go_through_our_function()
    {
        await AppendAsync("ours", new QuestStarted("Ring"));

        Assert.Equal("2,2", await AppendTheirsAsync("ours", "Sam"));
        Assert.Equal("3,3", await AppendTheirsAsync("ours", "Frodo", "2"));
        Assert.Equal("MT003", (await Assert.ThrowsAsync<Npgsql.PostgresException>(() => AppendTheirsAsync("ours", "Gollum", "2"))).SqlState);
        Assert.Equal("1,4", await AppendTheirsAsync("new", "Sam", "0"));

        Assert.Equal(3, (await DataAsync("ours")).Length);
        await AppendAsync("ours", new MembersJoined(3, ["Merry"]));
        await using IQuerySession session = Store.QuerySession();
        Assert.Equal(["Sam", "Frodo", "Merry"], (await session.LoadAsync<QuestParty>("ours"))!.Members);
    }

    [Fact]
    public async Task Our_appends_go_through_a_function_of_theirs()
    {
        // Row by row, as the official one works.
        await ExecuteAsync($"""
            create or replace function {Schema}.mt_quick_append_events(stream varchar, stream_type varchar, tenantid varchar, event_ids uuid[], event_types varchar[], dotnet_types varchar[],
                bodies jsonb[], bdatas bytea[], timestamps timestamp with time zone[], expected_version bigint default null) returns bigint[] language plpgsql as $function$
            declare
                last bigint;
                answer bigint[];
            begin
                select version into last from {Schema}.mt_streams where id = stream;
                if expected_version is not null and coalesce(last, 0) != expected_version then
                    raise exception 'Stream version mismatch' using errcode = 'MT003';
                end if;
                if last is null then
                    last := 0;
                    insert into {Schema}.mt_streams (id, type, version, timestamp, tenant_id) values (stream, stream_type, 0, now(), tenantid);
                end if;
                answer := array[last + array_length(event_ids, 1)];
                for i in 1 .. array_length(event_ids, 1) loop
                    answer := array_append(answer, nextval('{Schema}.mt_events_sequence'));
                    last := last + 1;
                    insert into {Schema}.mt_events (seq_id, id, stream_id, version, data, bdata, type, tenant_id, timestamp, mt_dotnet_type, is_archived)
                    values (answer[i + 1], event_ids[i], stream, last, bodies[i], bdatas[i], event_types[i], tenantid, timestamps[i], dotnet_types[i], false);
                end loop;
                update {Schema}.mt_streams set version = last, timestamp = now() where id = stream;
                return answer;
            end
            $function$
            """);
        DocumentStore store = Open(Configure);
        await using IDocumentSession session = store.LightweightSession();
        StreamAction action = session.Events.Append("mixed", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo"]));
        await session.SaveChangesAsync();
        Assert.Equal([1, 2], action.Events.Select(e => e.Sequence));

        session.Events.Append("mixed", 9, new QuestEnded("Ring"));
        await Assert.ThrowsAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
        Assert.Equal(2, (await DataAsync("mixed")).Length);
    }

    [Fact]
    public async Task A_snapshot_that_they_wrote_is_loaded_and_carried_on()
    {
        await StartTheirsAsync("snapshot");
        await ExecuteAsync($$"""
            insert into {{Schema}}.mt_doc_questparty (id, data, mt_dotnet_type, mt_version)
            values ('snapshot', '{"Id":"snapshot","Name":"Ring","Members":["Frodo"],"Version":2}', 'Alt.Tests.Infra.Marten.QuestParty', (select version from {{Schema}}.mt_streams where id = 'snapshot'))
            """);

        await AppendAsync("snapshot", new MembersDeparted(3, ["Frodo"]));

        Assert.Equal(["3|[]"], await QueryAsync("select concat_ws('|', mt_version, data -> 'Members') from mt_doc_questparty where id = 'snapshot'"));
    }
}
