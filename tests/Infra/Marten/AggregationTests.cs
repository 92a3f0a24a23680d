using JasperFx;
using JasperFx.Events;
using JasperFx.Events.Projections;
using Marten;

namespace Alt.Tests.Infra.Marten;

public sealed class AggregationTests(StoreFixture database) : StoreTest(database)
{
    private async Task<QuestParty?> PartyAsync(string stream, long version = 0, DateTimeOffset? timestamp = null)
    {
        await using IQuerySession session = Store.QuerySession();
        return await session.Events.AggregateStreamAsync<QuestParty>(stream, version, timestamp);
    }

    [Fact]
    public async Task An_aggregate_is_the_fold_of_its_events_and_knows_its_id_and_version()
    {
        await AppendAsync("fold", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo", "Sam"]), new MembersDeparted(2, ["Sam"]));

        QuestParty party = (await PartyAsync("fold"))!;

        Assert.Equal(("fold", "Ring", 3L), (party.Id, party.Name, party.Version));
        Assert.Equal(["Frodo"], party.Members);
    }

    [Fact]
    public async Task An_aggregate_is_seen_as_it_was_at_a_version_or_time()
    {
        DateTimeOffset noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);
        await AppendAsync(
            "past",
            Event.For(new QuestStarted("Ring")).AtTimestamp(noon),
            Event.For(new MembersJoined(1, ["Frodo"])).AtTimestamp(noon.AddHours(1)));

        Assert.Empty((await PartyAsync("past", version: 1))!.Members);
        Assert.Equal(["Frodo"], (await PartyAsync("past", version: 2))!.Members);
        Assert.Null(await PartyAsync("past", version: 3));
        Assert.Empty((await PartyAsync("past", timestamp: noon.AddMinutes(1)))!.Members);
        Assert.Null(await PartyAsync("past", timestamp: noon.AddMinutes(-1)));
    }

    [Fact]
    public async Task Later_events_fold_on_top_of_a_given_state()
    {
        await AppendAsync("on-top", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo"]));
        await using IQuerySession session = Store.QuerySession();

        QuestParty? party = await session.Events.AggregateStreamAsync("on-top", state: new QuestParty("x", "Given", ["Sam"]), fromVersion: 2);

        Assert.Equal("Given", party!.Name);
        Assert.Equal(["Sam", "Frodo"], party.Members);
    }

    [Fact]
    public async Task An_event_that_ends_the_aggregate_leaves_nothing()
    {
        await AppendAsync("ended", new QuestStarted("Ring"), new QuestEnded("Ring"));

        Assert.Null(await PartyAsync("ended"));
    }

    [Fact]
    public async Task A_base_type_takes_every_event_derived_from_it()
    {
        await AppendAsync("closed", new Door.Opened(), new Door.Shut(), new Door.Opened());
        await using IQuerySession session = Store.QuerySession();

        Assert.Equal(new DoorState(2, 1), await session.Events.AggregateStreamAsync<DoorState>("closed"));
    }

    [Fact]
    public async Task A_type_without_a_method_for_events_is_refused()
    {
        await AppendAsync("refused", new QuestStarted("Ring"));
        await using IQuerySession session = Store.QuerySession();

        await Assert.ThrowsAsync<InvalidProjectionException>(() => session.Events.AggregateStreamAsync<Blank>("refused"));
    }

    public abstract record Door
    {
        public sealed record Opened : Door;

        public sealed record Shut : Door;
    }

    public sealed record DoorState(int Openings, int Closings)
    {
        public DoorState()
            : this(0, 0)
        {
        }

        public DoorState Apply(Door door) => door switch
        {
            Door.Opened => this with { Openings = Openings + 1 },
            Door.Shut => this with { Closings = Closings + 1 },
            _ => throw new InvalidOperationException($"Unknown event {door}"),
        };
    }

    public sealed class Blank;
}

public sealed class SnapshotTests(StoreFixture database) : StoreTest(database)
{
    protected override void Configure(StoreOptions options) => options.Projections.Snapshot<QuestParty>(SnapshotLifecycle.Inline);

    private async Task<QuestParty?> SnapshotAsync(string id)
    {
        await using IQuerySession session = Store.QuerySession();
        return await session.LoadAsync<QuestParty>(id);
    }

    [Fact]
    public async Task A_snapshot_follows_its_stream_in_the_same_transaction()
    {
        await AppendAsync("snapshot", new QuestStarted("Ring"));
        await AppendAsync("snapshot", new MembersJoined(1, ["Frodo"]));
        await using IDocumentSession session = Store.LightweightSession();
        (await session.Events.FetchForWriting<QuestParty>("snapshot")).AppendOne(new MembersJoined(2, ["Sam"]));
        await session.SaveChangesAsync();

        QuestParty party = (await SnapshotAsync("snapshot"))!;

        Assert.Equal(["Frodo", "Sam"], party.Members);
        Assert.Equal(["snapshot|3|Alt.Tests.Infra.Marten.QuestParty"], await QueryAsync("select concat_ws('|', id, mt_version, mt_dotnet_type) from mt_doc_questparty"));
        Assert.Equal(party.Members, (await session.Events.FetchLatest<QuestParty>("snapshot"))!.Members);
    }

    [Fact]
    public async Task A_snapshot_goes_when_its_aggregate_ends()
    {
        await AppendAsync("gone", new QuestStarted("Ring"));
        await AppendAsync("gone", new QuestEnded("Ring"));

        Assert.Null(await SnapshotAsync("gone"));
    }

    [Fact]
    public async Task A_snapshot_that_is_behind_its_stream_is_made_good_from_the_events()
    {
        DocumentStore without = Open(_ => { });
        await using (IDocumentSession session = without.LightweightSession())
        {
            session.Events.Append("behind", new QuestStarted("Ring"), new MembersJoined(1, ["Frodo"]));
            await session.SaveChangesAsync();
        }

        await AppendAsync("behind", new MembersJoined(2, ["Sam"]));

        Assert.Equal(["Frodo", "Sam"], (await SnapshotAsync("behind"))!.Members);
    }

    [Fact]
    public async Task Racing_appends_leave_the_snapshot_that_their_events_add_up_to()
    {
        await AppendAsync("race", new QuestStarted("Ring"));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                try
                {
                    await AppendAsync("race", new MembersJoined(i, [$"{writer}-{i}"]));
                }
                catch (ConcurrencyException)
                {
                    // Lost the race; the point is what the winners leave.
                }
            }
        })));

        await using IQuerySession session = Store.QuerySession();
        QuestParty live = (await session.Events.AggregateStreamAsync<QuestParty>("race"))!;
        QuestParty snapshot = (await SnapshotAsync("race"))!;
        Assert.Equal(live.Members, snapshot.Members);
        Assert.Equal(live.Version, snapshot.Version);
    }
}
