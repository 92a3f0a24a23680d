using JasperFx;
using JasperFx.Events;
using Marten;
using Marten.Exceptions;

namespace Alt.Tests.Infra.Marten;

public sealed class ConcurrencyTests(StoreFixture database) : StoreTest(database)
{
    [Fact]
    public async Task Starting_a_stream_that_exists_is_a_collision()
    {
        await AppendAsync("taken", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.StartStream<QuestParty>("taken", new QuestStarted("Ring"));

        var error = await Assert.ThrowsAsync<ExistingStreamIdCollisionException>(() => session.SaveChangesAsync());

        Assert.Equal("Stream #taken already exists in the database", error.Message);
        Assert.Equal(typeof(QuestParty), error.AggregateType);
    }

    [Fact]
    public async Task The_expected_version_is_the_one_after_the_append()
    {
        await AppendAsync("versions", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.Append("versions", 3, new QuestEnded("a"), new QuestEnded("b"));
        await session.SaveChangesAsync();

        session.Events.Append("versions", 99, new QuestEnded("c"));
        var error = await Assert.ThrowsAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());

        Assert.Equal("Unexpected starting version number for event stream 'versions', expected 98 but was -1", error.Message);
        Assert.IsAssignableFrom<ConcurrencyException>(error);
        Assert.Equal(3, (await DataAsync("versions")).Length);
    }

    [Fact]
    public async Task A_failed_append_uses_up_no_sequence_number()
    {
        await AppendAsync("sequence", new QuestStarted("Ring"));
        await using (IDocumentSession session = Store.LightweightSession())
        {
            session.Events.Append("sequence", 9, new QuestEnded("Ring"));
            await Assert.ThrowsAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
        }

        await AppendAsync("sequence", new QuestEnded("Ring"));

        Assert.Equal(["1", "2"], await QueryAsync("select seq_id from mt_events where stream_id = 'sequence' order by 1"));
    }

    [Fact]
    public async Task What_was_fetched_for_writing_is_saved_only_if_nobody_wrote_in_between()
    {
        await AppendAsync("fetched", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo"]));
        await using IDocumentSession session = Store.LightweightSession();
        IEventStream<QuestParty> stream = await session.Events.FetchForWriting<QuestParty>("fetched");
        Assert.Equal(["Frodo"], stream.Aggregate!.Members);
        Assert.Equal(2, stream.StartingVersion);

        stream.AppendOne(new MembersJoined(2, ["Sam"]));
        Assert.Equal(3, stream.CurrentVersion);
        await AppendAsync("fetched", new MembersJoined(2, ["Gollum"]));

        await Assert.ThrowsAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
    }

    [Fact]
    public async Task Fetching_a_missing_stream_for_writing_starts_it()
    {
        await using IDocumentSession session = Store.LightweightSession();
        IEventStream<QuestParty> stream = await session.Events.FetchForWriting<QuestParty>("new");
        Assert.Null(stream.Aggregate);
        Assert.Equal(0, stream.StartingVersion);

        stream.AppendMany(new QuestStarted("Ring"), new MembersJoined(1, ["Frodo"]));
        await session.SaveChangesAsync();

        Assert.Equal(["quest_party|2"], await QueryAsync("select concat_ws('|', type, version) from mt_streams where id = 'new'"));
    }

    [Fact]
    public async Task The_expected_version_of_a_fetch_is_the_one_before()
    {
        await AppendAsync("before", new QuestStarted("Ring"), new QuestEnded("Ring"));
        await using IDocumentSession session = Store.LightweightSession();

        await session.Events.FetchForWriting<QuestParty>("before", 2);
        var error = await Assert.ThrowsAsync<ConcurrencyException>(() => session.Events.FetchForWriting<QuestParty>("before", 3));

        Assert.Equal("Expected the existing version to be 3, but was 2", error.Message);
    }

    [Fact]
    public async Task An_optimistic_append_holds_only_at_the_version_it_read()
    {
        await AppendAsync("optimistic", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        await session.Events.AppendOptimistic("optimistic", new QuestEnded("a"));
        await AppendAsync("optimistic", new QuestEnded("b"));

        await Assert.ThrowsAsync<EventStreamUnexpectedMaxEventIdException>(() => session.SaveChangesAsync());
        await Assert.ThrowsAsync<NonExistentStreamException>(() => session.Events.AppendOptimistic("missing", new QuestEnded("a")));
    }

    [Fact]
    public async Task An_exclusive_append_makes_others_wait_for_it()
    {
        await AppendAsync("exclusive", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        await session.Events.AppendExclusive("exclusive", new QuestEnded("first"));
        Task<IEventStream<QuestParty>> other = Task.Run(async () =>
        {
            await using IDocumentSession waiting = Store.LightweightSession();
            return await waiting.Events.FetchForExclusiveWriting<QuestParty>("exclusive");
        });

        Assert.False(other.IsCompleted);
        await session.SaveChangesAsync();

        Assert.Equal(2, (await other).StartingVersion);
    }

    [Fact]
    public async Task An_archived_stream_reads_as_empty_and_refuses_appends()
    {
        await AppendAsync("archived", new QuestStarted("Ring"));
        await using IDocumentSession session = Store.LightweightSession();
        session.Events.ArchiveStream("archived");
        await session.SaveChangesAsync();

        Assert.Empty(await DataAsync("archived"));
        Assert.True((await session.Events.FetchStreamStateAsync("archived"))!.IsArchived);
        await Assert.ThrowsAsync<InvalidStreamOperationException>(() => AppendAsync("archived", new QuestEnded("Ring")));
    }

    [Fact]
    public async Task Racing_appends_lose_nothing_and_repeat_nothing()
    {
        const int Writers = 8, AppendsEach = 25;
        int[] accepted = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            int count = 0;
            for (int i = 0; i < AppendsEach; i++)
            {
                try
                {
                    await AppendAsync("race", new MembersJoined(i, [$"writer {writer}"]));
                    count++;
                }
                catch (ConcurrencyException)
                {
                    // The slower one of two is told so; nothing is retried behind its back.
                }
            }

            return count;
        })));

        await using IQuerySession session = Store.QuerySession();
        IReadOnlyList<IEvent> events = await session.Events.FetchStreamAsync("race");
        Assert.Equal(accepted.Sum(), events.Count);
        Assert.Equal(Enumerable.Range(1, events.Count).Select(v => (long)v), events.Select(e => e.Version));
        Assert.Equal(events.OrderBy(e => e.Sequence), events);
        Assert.Equal(events.Count, (await session.Events.FetchStreamStateAsync("race"))!.Version);
        foreach (IGrouping<string, MembersJoined> writer in events.Select(e => (MembersJoined)e.Data).GroupBy(joined => joined.Members[0]))
        {
            Assert.Equal(writer.OrderBy(joined => joined.Day), writer);
        }
    }
}
