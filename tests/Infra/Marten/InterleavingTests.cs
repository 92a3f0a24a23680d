using FsCheck;
using FsCheck.Fluent;
using JasperFx;
using JasperFx.Events;
using Marten;
using Marten.Exceptions;

namespace Alt.Tests.Infra.Marten;

/// <summary>Random interleavings of writers: nothing is lost, repeated or out of order, and nobody is refused who should not be.</summary>
public sealed class InterleavingTests(StoreFixture database) : StoreTest(database)
{
    private const int Writers = 3;
    private static readonly string[] StreamNames = ["a", "b"];

    public enum Way
    {
        Start,
        Append,
        AppendExpecting,
        AppendOptimistic,
        FetchForWriting,
    }

    /// <summary>A writer queues events for a stream; or, with no events, saves what it has queued.</summary>
    public sealed record Step(int Writer, int Stream, Way Way, int Events)
    {
        public override string ToString() => Events == 0 ? $"{Writer} saves" : $"{Writer}: {Way} {Events} to {StreamNames[Stream]}";
    }

    public sealed record Written(string Mark);

    private static Arbitrary<Step[]> Interleavings()
    {
        Gen<Step> step =
            from writer in Gen.Choose(0, Writers - 1)
            from stream in Gen.Choose(0, StreamNames.Length - 1)
            from way in Gen.Elements(Enum.GetValues<Way>())
            from events in Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Choose(1, 3)))
            select new Step(writer, stream, way, events);
        return Arb.From(step.ArrayOf(), steps => Enumerable.Range(0, steps.Length).Select(without => steps.Where((_, i) => i != without).ToArray()));
    }

    [Fact]
    public void Sequential_interleavings_do_what_a_list_per_stream_would() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(60).WithEndSize(25).WithReplay(2026, 11),
            Prop.ForAll(Interleavings(), async steps => await new Run(this).CheckAsync(steps)));

    [Fact]
    public void Concurrent_writers_keep_every_accepted_event_in_the_order_of_its_versions() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(15).WithEndSize(8).WithReplay(2026, 11),
            Prop.ForAll(Arb.From(Gen.Choose(1, 4).ArrayOf()), async sizes => await RaceAsync(sizes)));

    /// <summary>Writers race to append batches of these sizes; each says what it was told, and the stream must agree.</summary>
    private async Task RaceAsync(int[] sizes)
    {
        string stream = $"race-{Guid.NewGuid():N}";
        string[][] accepted = await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var marks = new List<string>();
            for (int i = 0; i < sizes.Length; i++)
            {
                string[] batch = [.. Enumerable.Range(0, sizes[i]).Select(k => $"{writer}.{i}.{k}")];
                try
                {
                    await AppendAsync(stream, [.. batch.Select(mark => new Written(mark))]);
                    marks.AddRange(batch);
                }
                catch (ConcurrencyException)
                {
                    // Refused as a whole; none of its events may be there.
                }
            }

            return marks.ToArray();
        })));

        await using IQuerySession session = Store.QuerySession();
        IReadOnlyList<IEvent> events = await session.Events.FetchStreamAsync(stream);
        Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e.Version));
        Assert.Equal(events.OrderBy(e => e.Sequence), events);
        for (int writer = 0; writer < Writers; writer++)
        {
            Assert.Equal(accepted[writer], events.Select(e => ((Written)e.Data).Mark).Where(mark => mark.StartsWith($"{writer}.", StringComparison.Ordinal)));
        }
    }

    /// <summary>One interleaving on streams of its own, and the model that it must agree with.</summary>
    private sealed class Run(InterleavingTests test)
    {
        private readonly string _prefix = $"{Guid.NewGuid():N}-";
        private readonly List<string>[] _model = [.. StreamNames.Select(_ => new List<string>())];
        private int _marks;

        /// <summary>What one writer has queued: marks per stream, and the versions it relies on.</summary>
        private sealed class Writer(IDocumentSession session)
        {
            public IDocumentSession Session { get; } = session;

            public List<string>?[] Queued { get; } = new List<string>?[StreamNames.Length];

            public long?[] Expected { get; } = new long?[StreamNames.Length];
        }

        public async Task CheckAsync(Step[] steps)
        {
            Writer[] writers = [.. Enumerable.Range(0, Writers).Select(_ => new Writer(test.Store.LightweightSession()))];
            foreach (Step step in steps.Concat(Enumerable.Range(0, Writers).Select(writer => new Step(writer, 0, Way.Append, 0))))
            {
                if (step.Events > 0)
                {
                    await QueueAsync(writers[step.Writer], step);
                }
                else
                {
                    await SaveAsync(writers[step.Writer]);
                    await writers[step.Writer].Session.DisposeAsync();
                    writers[step.Writer] = new Writer(test.Store.LightweightSession());
                }
            }

            for (int stream = 0; stream < StreamNames.Length; stream++)
            {
                await AgreeAsync(stream);
            }
        }

        private async Task QueueAsync(Writer writer, Step step)
        {
            // One way per stream and unit of work: what mixing them means is not the point here.
            if (writer.Queued[step.Stream] is not null)
            {
                return;
            }

            string name = _prefix + StreamNames[step.Stream];
            List<string> marks = [.. Enumerable.Range(0, step.Events).Select(_ => $"{_marks++}")];
            object[] events = [.. marks.Select(mark => new Written(mark))];
            long version = _model[step.Stream].Count;
            switch (step.Way)
            {
                case Way.Start:
                    writer.Session.Events.StartStream(name, events);
                    writer.Expected[step.Stream] = 0;
                    break;
                case Way.Append:
                    writer.Session.Events.Append(name, events);
                    break;
                case Way.AppendExpecting:
                    writer.Session.Events.Append(name, version + events.Length, events);
                    writer.Expected[step.Stream] = version;
                    break;
                case Way.AppendOptimistic when version == 0:
                    await Assert.ThrowsAsync<NonExistentStreamException>(() => writer.Session.Events.AppendOptimistic(name, events));
                    writer.Session.EjectAllPendingChanges();
                    Array.Clear(writer.Queued);
                    Array.Clear(writer.Expected);
                    return;
                case Way.AppendOptimistic:
                    await writer.Session.Events.AppendOptimistic(name, events);
                    writer.Expected[step.Stream] = version;
                    break;
                case Way.FetchForWriting:
                    IEventStream<Tally> fetched = await writer.Session.Events.FetchForWriting<Tally>(name);
                    Assert.Equal(version, fetched.StartingVersion);
                    Assert.Equal((int)version, fetched.Aggregate?.Count ?? 0);
                    fetched.AppendMany(events);
                    writer.Expected[step.Stream] = version;
                    break;
                default:
                    throw new InvalidOperationException($"{step.Way}");
            }

            writer.Queued[step.Stream] = marks;
        }

        private async Task SaveAsync(Writer writer)
        {
            bool holds = Enumerable.Range(0, StreamNames.Length).All(stream => writer.Queued[stream] is null || writer.Expected[stream] is not { } expected || expected == _model[stream].Count);
            if (holds)
            {
                await writer.Session.SaveChangesAsync();
                for (int stream = 0; stream < StreamNames.Length; stream++)
                {
                    _model[stream].AddRange(writer.Queued[stream] ?? []);
                }
            }
            else
            {
                Exception refused = await Assert.ThrowsAnyAsync<Exception>(() => writer.Session.SaveChangesAsync());
                Assert.True(refused is EventStreamUnexpectedMaxEventIdException or ExistingStreamIdCollisionException, refused.ToString());
            }
        }

        private async Task AgreeAsync(int stream)
        {
            await using IQuerySession session = test.Store.QuerySession();
            IReadOnlyList<IEvent> events = await session.Events.FetchStreamAsync(_prefix + StreamNames[stream]);
            Assert.Equal(_model[stream], events.Select(e => ((Written)e.Data).Mark));
            Assert.Equal(Enumerable.Range(1, events.Count), events.Select(e => (int)e.Version));
            Assert.Equal(events.OrderBy(e => e.Sequence), events);
            Assert.Equal(events.Count, (await session.Events.FetchStreamStateAsync(_prefix + StreamNames[stream]))?.Version ?? 0);
        }
    }

    public sealed class Tally
    {
        public int Count { get; set; }

        public void Apply(Written _) => Count++;
    }
}
