using System.Text.Json;
using JasperFx.Events;
using Marten;
using Marten.Exceptions;

namespace Alt.Tests.Infra.Marten;

public sealed class ReadTests(StoreFixture database) : StoreTest(database)
{
    [Fact]
    public async Task What_is_missing_reads_as_nothing()
    {
        await using IQuerySession session = Store.QuerySession();

        Assert.Empty(await session.Events.FetchStreamAsync("missing"));
        Assert.Null(await session.Events.FetchStreamStateAsync("missing"));
        Assert.Null(await session.Events.AggregateStreamAsync<QuestParty>("missing"));
        Assert.Null(await session.Events.LoadAsync(Guid.NewGuid()));
        Assert.Null(await session.LoadAsync<QuestParty>("missing"));
    }

    [Fact]
    public async Task A_stream_is_read_between_versions_and_up_to_a_time()
    {
        DateTimeOffset noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
        await AppendAsync("bounds", [.. Enumerable.Range(1, 5).Select(i => Event.For(new MembersJoined(i, [])).AtTimestamp(noon.AddMinutes(i)))]);
        await using IQuerySession session = Store.QuerySession();

        Assert.Equal([2, 3, 4], (await session.Events.FetchStreamAsync("bounds", version: 4, fromVersion: 2)).Select(e => e.Version));
        Assert.Equal([1, 2], (await session.Events.FetchStreamAsync("bounds", timestamp: noon.AddMinutes(2))).Select(e => e.Version));
    }

    [Fact]
    public async Task A_stream_knows_its_state()
    {
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.StartStream<QuestParty>("state", new QuestStarted("Ring"), new QuestEnded("Ring"));
        await session.SaveChangesAsync();

        StreamState state = (await session.Events.FetchStreamStateAsync("state"))!;

        Assert.Equal(("state", 2L, typeof(QuestParty), false), (state.Key, state.Version, state.AggregateType, state.IsArchived));
        Assert.Equal(state.Created, state.LastTimestamp);
    }

    [Fact]
    public async Task An_event_is_found_by_its_id()
    {
        IEvent @event = Event.For(new QuestStarted("Ring"));
        await AppendAsync("by-id", @event);
        await using IQuerySession session = Store.QuerySession();

        Assert.Equal(new QuestStarted("Ring"), (await session.Events.LoadAsync(@event.Id))!.Data);
    }

    [Fact]
    public async Task An_alias_that_nobody_registered_is_found_through_its_dotnet_type()
    {
        await AppendAsync("foreign", new QuestStarted("Ring"));
        await ExecuteAsync("update mt_events set type = 'renamed_since' where stream_id = 'foreign'");

        DocumentStore other = Open(_ => { });
        await using IQuerySession session = other.QuerySession();

        Assert.Equal(new QuestStarted("Ring"), (await session.Events.FetchStreamAsync("foreign")).Single().Data);
    }

    [Fact]
    public async Task A_type_that_cannot_be_loaded_is_named()
    {
        await AppendAsync("unknown", new QuestStarted("Ring"));
        await ExecuteAsync("update mt_events set type = 'gone', mt_dotnet_type = 'Gone.Event, Gone' where stream_id = 'unknown'");

        var error = await Assert.ThrowsAsync<UnknownEventTypeException>(() => DataAsync("unknown"));

        Assert.Equal("gone", error.EventTypeName);
    }

    [Fact]
    public async Task An_unknown_alias_without_a_dotnet_type_cannot_be_cast()
    {
        await AppendAsync("nameless", new QuestStarted("Ring"));
        await ExecuteAsync("update mt_events set type = 'gone', mt_dotnet_type = null where stream_id = 'nameless'");

        await Assert.ThrowsAsync<InvalidCastException>(() => DataAsync("nameless"));
    }

    [Fact]
    public async Task Json_of_another_shape_is_named_by_its_sequence_number()
    {
        await AppendAsync("bad-json", new MembersJoined(1, []));
        await ExecuteAsync("update mt_events set data = '{\"Day\": \"one\"}' where stream_id = 'bad-json'");

        var error = await Assert.ThrowsAsync<EventDeserializationFailureException>(() => DataAsync("bad-json"));

        Assert.Equal(1, error.Sequence);
        Assert.IsType<JsonException>(error.InnerException);
    }

    [Fact]
    public async Task The_tombstones_that_the_official_library_leaves_are_understood()
    {
        await AppendAsync("quest", new QuestStarted("Ring"));
        await ExecuteAsync("""
            insert into mt_streams (id, version) values ('mt_tombstone', 0);
            insert into mt_events (seq_id, id, stream_id, version, data, type, timestamp, mt_dotnet_type)
            values (nextval('mt_events_sequence'), gen_random_uuid(), 'mt_tombstone', 2, '{}', 'tombstone', '-infinity', 'JasperFx.Events.Tombstone, JasperFx.Events');
            """);
        await AppendAsync("quest", new QuestEnded("Ring"));

        await using IQuerySession session = Store.QuerySession();
        Assert.Equal([1L, 3L], (await session.Events.FetchStreamAsync("quest")).Select(e => e.Sequence));
        Assert.IsType<Tombstone>((await session.Events.FetchStreamAsync("mt_tombstone")).Single().Data);
    }

    [Fact]
    public async Task Two_types_of_one_alias_are_refused_before_one_is_read_as_the_other()
    {
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.Append("twins", new First.Happened());

        var error = Assert.Throws<InvalidOperationException>(() => session.Events.Append("twins", new Second.Happened()));

        Assert.Contains("MapEventType", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_is_spelled_as_the_options_say()
    {
        DocumentStore store = Open(options =>
        {
            options.DatabaseSchemaName = "spelled";
            options.UseSystemTextJsonForSerialization(Weasel.Core.EnumStorage.AsString, Weasel.Core.Casing.CamelCase);
        });
        await using IDocumentSession session = store.LightweightSession();
        session.Events.Append("spelled", new DayNamed(DayOfWeek.Friday));
        await session.SaveChangesAsync();

        Assert.Equal(["{\"day\": \"Friday\"}"], await QueryAsync("select data from spelled.mt_events"));
        Assert.Equal(new DayNamed(DayOfWeek.Friday), (await session.Events.FetchStreamAsync("spelled")).Single().Data);
    }

    public sealed record DayNamed(DayOfWeek Day);

    private static class First
    {
        public sealed record Happened;
    }

    private static class Second
    {
        public sealed record Happened;
    }
}
