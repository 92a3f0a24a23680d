using JasperFx.Events;
using Marten.Sessions;

namespace Marten.Events;

internal sealed partial class EventStore
{
    public StreamAction Append(Guid stream, IEnumerable<object> events) => Append(Check(stream), events);

    public StreamAction Append(Guid stream, params object[] events) => Append(Check(stream), events);

    public StreamAction Append(string stream, IEnumerable<object> events) => Append(Check(stream), events);

    public StreamAction Append(string stream, params object[] events) => Append(Check(stream), events);

    public StreamAction Append(Guid stream, long expectedVersion, IEnumerable<object> events) => Append(Check(stream), expectedVersion, events);

    public StreamAction Append(Guid stream, long expectedVersion, params object[] events) => Append(Check(stream), expectedVersion, events);

    public StreamAction Append(string stream, long expectedVersion, IEnumerable<object> events) => Append(Check(stream), expectedVersion, events);

    public StreamAction Append(string stream, long expectedVersion, params object[] events) => Append(Check(stream), expectedVersion, events);

    public StreamAction StartStream<TAggregate>(Guid id, params object[] events)
        where TAggregate : class => Start(CheckNew(id), typeof(TAggregate), events);

    public StreamAction StartStream<TAggregate>(string streamKey, params object[] events)
        where TAggregate : class => Start(Check(streamKey), typeof(TAggregate), events);

    public StreamAction StartStream<TAggregate>(params object[] events)
        where TAggregate : class => Start(Check(CombGuid.New()), typeof(TAggregate), events);

    public StreamAction StartStream(Guid id, IEnumerable<object> events) => Start(CheckNew(id), null, events);

    public StreamAction StartStream(Guid id, params object[] events) => Start(CheckNew(id), null, events);

    public StreamAction StartStream(string streamKey, IEnumerable<object> events) => Start(Check(streamKey), null, events);

    public StreamAction StartStream(string streamKey, params object[] events) => Start(Check(streamKey), null, events);

    public Task AppendOptimistic(Guid streamId, CancellationToken token, params object[] events) => AppendAtCurrentVersionAsync(Check(streamId), locked: false, events, token);

    public Task AppendOptimistic(Guid streamId, params object[] events) => AppendOptimistic(streamId, CancellationToken.None, events);

    public Task AppendOptimistic(string streamKey, CancellationToken token, params object[] events) => AppendAtCurrentVersionAsync(Check(streamKey), locked: false, events, token);

    public Task AppendOptimistic(string streamKey, params object[] events) => AppendOptimistic(streamKey, CancellationToken.None, events);

    public Task AppendExclusive(Guid streamId, CancellationToken token, params object[] events) => AppendAtCurrentVersionAsync(Check(streamId), locked: true, events, token);

    public Task AppendExclusive(Guid streamId, params object[] events) => AppendExclusive(streamId, CancellationToken.None, events);

    public Task AppendExclusive(string streamKey, CancellationToken token, params object[] events) => AppendAtCurrentVersionAsync(Check(streamKey), locked: true, events, token);

    public Task AppendExclusive(string streamKey, params object[] events) => AppendExclusive(streamKey, CancellationToken.None, events);
}
