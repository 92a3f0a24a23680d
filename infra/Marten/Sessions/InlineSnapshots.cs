using JasperFx.Events;
using Marten.Documents;
using Marten.Events;
using Marten.Events.Aggregation;

namespace Marten.Sessions;

/// <summary>Brings the inline snapshots of a session's streams up to date, in the transaction that appends their events.</summary>
internal sealed class InlineSnapshots(DocumentSession session)
{
    public async Task<List<Operation>> OperationsAsync(StreamAction[] streams, CancellationToken token)
    {
        var operations = new List<Operation>();
        foreach ((Type type, Aggregator aggregator) in session.InlineAggregators)
        {
            foreach (StreamAction stream in streams.Where(stream => stream.Events.Any(e => aggregator.Handles(e.EventType))))
            {
                operations.Add(await OperationAsync(type, aggregator, stream, token));
            }
        }

        return operations;
    }

    private async Task<Operation> OperationAsync(Type type, Aggregator aggregator, StreamAction stream, CancellationToken token)
    {
        DocumentMapping mapping = await session.DocumentAsync(type, token);
        object? before = stream.ActionType == StreamActionType.Start ? null : await BeforeAsync(type, stream, token);
        object? after = aggregator.Fold(before, stream.Events);
        if (after is null)
        {
            return new DeleteDocument(mapping, stream.Identity);
        }

        mapping.SetIdentity(after, stream.Identity);
        return new WriteSnapshot(mapping, stream.Identity, after, session.EventGraph.DatabaseSchemaName, session.Json);
    }

    /// <summary>The aggregate that the new events go on top of. The append then holds only if the stream is still at its version.</summary>
    private async Task<object?> BeforeAsync(Type type, StreamAction stream, CancellationToken token)
    {
        (long version, object? aggregate) = await ((EventStore)session.Events).FetchAggregateAsync(type, stream.Identity, locked: false, token);
        stream.ExpectedVersionOnServer ??= version;
        for (int i = 0; i < stream.Events.Count; i++)
        {
            stream.Events[i].Version = stream.ExpectedVersionOnServer.Value + i + 1;
        }

        return aggregate;
    }
}
