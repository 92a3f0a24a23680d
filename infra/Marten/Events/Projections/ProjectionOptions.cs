using JasperFx.Events.Projections;
using Marten.Events.Aggregation;

namespace Marten.Events.Projections;

/// <summary>Which aggregates are kept as documents beside their events.</summary>
public class ProjectionOptions
{
    private readonly StoreOptions _options;
    private readonly Dictionary<Type, Aggregator> _inline = [];

    internal ProjectionOptions(StoreOptions options) => _options = options;

    internal IReadOnlyDictionary<Type, Aggregator> Inline => _inline;

    /// <summary>Keeps the latest state of each stream's <typeparamref name="T"/> in <c>mt_doc_…</c>, in the appending transaction.</summary>
    /// <exception cref="InvalidProjectionException"><typeparamref name="T"/> has no method that takes an event.</exception>
    /// <exception cref="NotSupportedException">The lifecycle needs the official library's daemon.</exception>
    public void Snapshot<T>(SnapshotLifecycle lifecycle)
        where T : notnull
    {
        if (lifecycle != SnapshotLifecycle.Inline)
        {
            throw new NotSupportedException("Asynchronous snapshots need the official library's daemon; use SnapshotLifecycle.Inline.");
        }

        _inline[typeof(T)] = Aggregator.For(typeof(T));
        _options.DocumentTypes.Add(typeof(T));
    }
}
