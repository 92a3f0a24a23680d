using System.Data;
using Marten.Schema;

namespace Marten;

/// <summary>One database with documents and events. Safe for concurrent use; make one per application.</summary>
public interface IDocumentStore : IDisposable, IAsyncDisposable
{
    IMartenStorage Storage { get; }

    AdvancedOperations Advanced { get; }

    /// <summary>A session to read and write in; not safe for concurrent use.</summary>
    IDocumentSession LightweightSession(IsolationLevel isolationLevel = IsolationLevel.ReadCommitted);

    /// <summary>A session to read in.</summary>
    IQuerySession QuerySession();
}
