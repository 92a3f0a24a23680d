using JasperFx.Events;
using Marten;
using Marten.Exceptions;

namespace Alt.Tests.Infra.Marten;

public sealed class AppendTests(StoreFixture database) : StoreTest(database)
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Events_come_back_in_their_order_with_all_that_the_store_knows()
    {
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.StartStream<QuestParty>("quest-1", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo", "Sam"]));
        await session.SaveChangesAsync();
        session.Events.Append("quest-1", new MembersDeparted(2, ["Sam"]));
        await session.SaveChangesAsync();

        IReadOnlyList<IEvent> events = await session.Events.FetchStreamAsync("quest-1");

        Assert.Equal([1, 2, 3], events.Select(e => e.Version));
        Assert.Equal(["quest_started", "members_joined", "members_departed"], events.Select(e => e.EventTypeName));
        Assert.All(events, e => Assert.Equal("quest-1", e.StreamKey));
        Assert.Equal(["Frodo", "Sam"], Assert.IsType<Event<MembersJoined>>(events[1]).Data.Members);
        Assert.Equal(events.Select(e => e.Sequence).Order(), events.Select(e => e.Sequence));
        Assert.Equal(3, events.Select(e => e.Id).Distinct().Count());
    }

    [Fact]
    public async Task The_row_of_an_event_is_as_Marten_writes_it()
    {
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.Append("quest-2", Event.For(new QuestStarted("Ring")).AtTimestamp(Noon));
        await session.SaveChangesAsync();

        Assert.Equal(
            ["1|1|{\"Name\": \"Ring\"}|quest_started|Alt.Tests.Infra.Marten.QuestStarted, Alt.Tests|*DEFAULT*|f|t"],
            await QueryAsync("select concat_ws('|', seq_id, version, data, type, mt_dotnet_type, tenant_id, is_archived, timestamp = '2026-01-02 12:00Z') from mt_events where stream_id = 'quest-2'"));
        Assert.Equal(["1|*DEFAULT*|f"], await QueryAsync("select concat_ws('|', type, version, tenant_id, is_archived) from mt_streams where id = 'quest-2'"));
    }

    [Fact]
    public async Task An_append_tells_the_versions_and_sequence_numbers_it_was_given()
    {
        await AppendAsync("quest-3", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();

        StreamAction stream = session.Events.Append("quest-3", new QuestEnded("a"), new QuestEnded("b"));
        await session.SaveChangesAsync();

        Assert.Equal([2, 3], stream.Events.Select(e => e.Version));
        Assert.Equal([2, 3], stream.Events.Select(e => e.Sequence));
        Assert.Equal(3, stream.Version);
    }

    [Fact]
    public async Task Several_streams_and_a_document_are_one_transaction()
    {
        await AppendAsync("taken", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.Append("fresh", new QuestStarted("Ring"));
        session.Store(new QuestParty("party", "Ring", []));
        session.Events.StartStream("taken", new QuestStarted("Ring"));

        await Assert.ThrowsAsync<ExistingStreamIdCollisionException>(() => session.SaveChangesAsync());

        Assert.Empty(await DataAsync("fresh"));
        Assert.Null(await session.LoadAsync<QuestParty>("party"));
    }

    [Fact]
    public async Task The_time_of_an_event_is_the_stores_clock_unless_the_caller_chose_one()
    {
        DocumentStore store = Open(options => options.Events.TimeProvider = new StoppedClock(Noon));
        await using IDocumentSession session = store.LightweightSession();
        session.Events.Append("quest-4", new QuestStarted("Ring"), Event.For(new QuestEnded("Ring")).AtTimestamp(Noon.AddDays(1)));
        await session.SaveChangesAsync();

        Assert.Equal([Noon, Noon.AddDays(1)], (await session.Events.FetchStreamAsync("quest-4")).Select(e => e.Timestamp));
    }

    [Fact]
    public async Task A_thousand_events_go_to_one_stream_in_one_call()
    {
        await AppendAsync("long", [.. Enumerable.Range(0, 1000).Select(i => new MembersJoined(i, [$"m{i}"]))]);

        object[] data = await DataAsync("long");

        Assert.Equal(Enumerable.Range(0, 1000), data.Cast<MembersJoined>().Select(e => e.Day));
    }

    [Fact]
    public async Task A_store_with_Guid_streams_reads_what_it_wrote()
    {
        DocumentStore store = Open(options =>
        {
            options.Events.StreamIdentity = StreamIdentity.AsGuid;
            options.Events.DatabaseSchemaName = "by_guid";
        });
        await using IDocumentSession session = store.LightweightSession();
        Guid id = session.Events.StartStream<QuestParty>(new QuestStarted("Ring")).Id;
        await session.SaveChangesAsync();
        session.Events.Append(id, 2, new QuestEnded("Ring"));
        await session.SaveChangesAsync();

        Assert.Equal([1, 2], (await session.Events.FetchStreamAsync(id)).Select(e => e.Version));
        Assert.Equal(2, (await session.Events.FetchStreamStateAsync(id))!.Version);
        Assert.Equal(id, (await session.Events.FetchStreamAsync(id))[0].StreamId);
    }

    [Fact]
    public async Task An_append_of_nothing_does_nothing()
    {
        await AppendAsync("nothing");

        await using IQuerySession session = Store.QuerySession();
        Assert.Null(await session.Events.FetchStreamStateAsync("nothing"));
    }

    [Fact]
    public void A_wrong_argument_is_refused_at_once()
    {
        using IDocumentSession session = Store.LightweightSession();

        Assert.Throws<EmptyEventStreamException>(() => session.Events.StartStream("empty"));
        Assert.Throws<ArgumentNullException>("eventData", () => session.Events.Append("null", [null!]));
        Assert.Throws<InvalidOperationException>(() => session.Events.Append(Guid.NewGuid(), new QuestStarted("Ring")));
        Assert.Throws<InvalidOperationException>(() => DocumentStore.For(_ => { }));
    }

    private sealed class StoppedClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
