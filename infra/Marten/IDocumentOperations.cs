namespace Marten;

/// <summary>Queues changes; nothing is written before the session's SaveChangesAsync.</summary>
public interface IDocumentOperations : IQuerySession
{
    new Marten.Events.IEventStoreOperations Events { get; }

    /// <summary>Writes documents, over existing ones of the same identity.</summary>
    void Store<T>(params T[] entities)
        where T : notnull;

    /// <inheritdoc cref="Store{T}(T[])"/>
    void Store<T>(IEnumerable<T> entities)
        where T : notnull;

    /// <summary>Writes documents that must not exist yet.</summary>
    void Insert<T>(params T[] entities)
        where T : notnull;

    /// <inheritdoc cref="Insert{T}(T[])"/>
    void Insert<T>(IEnumerable<T> entities)
        where T : notnull;

    /// <summary>Writes documents that must exist.</summary>
    void Update<T>(params T[] entities)
        where T : notnull;

    /// <inheritdoc cref="Update{T}(T[])"/>
    void Update<T>(IEnumerable<T> entities)
        where T : notnull;

    void Delete<T>(T entity)
        where T : notnull;

    void Delete<T>(string id)
        where T : notnull;

    void Delete<T>(Guid id)
        where T : notnull;

    /// <summary>Runs a command in the session's transaction, after its events. Each <c>?</c> stands for one parameter.</summary>
    void QueueSqlCommand(string sql, params object[] parameterValues);
}

/// <summary>A unit of work: everything queued on it is saved in one transaction, or nothing is.</summary>
public interface IDocumentSession : IDocumentOperations
{
    /// <summary>Saves what was queued, and commits. Without anything queued it does nothing, an open transaction stays open.</summary>
    Task SaveChangesAsync(CancellationToken token = default);

    /// <summary>Forgets what was queued.</summary>
    void EjectAllPendingChanges();

    /// <summary>Begins the transaction now, so that reads and commands on the session's connection take part in it.</summary>
    ValueTask BeginTransactionAsync(CancellationToken token);
}
