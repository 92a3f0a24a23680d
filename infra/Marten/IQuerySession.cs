using Npgsql;

namespace Marten;

/// <summary>Reads documents and events. Not safe for concurrent use.</summary>
public interface IQuerySession : IDisposable, IAsyncDisposable
{
    Marten.Events.IQueryEventStore Events { get; }

    /// <summary>The session's connection, open. From its first use on the session does everything on it.</summary>
    NpgsqlConnection Connection { get; }

    IDocumentStore DocumentStore { get; }

    /// <summary>The document with this identity; null if there is none.</summary>
    Task<T?> LoadAsync<T>(string id, CancellationToken token = default)
        where T : notnull;

    /// <inheritdoc cref="LoadAsync{T}(string, CancellationToken)"/>
    Task<T?> LoadAsync<T>(Guid id, CancellationToken token = default)
        where T : notnull;

    /// <summary>The documents with these identities, those that exist, in no particular order.</summary>
    Task<IReadOnlyList<T>> LoadManyAsync<T>(params string[] ids)
        where T : notnull;

    /// <inheritdoc cref="LoadManyAsync{T}(string[])"/>
    Task<IReadOnlyList<T>> LoadManyAsync<T>(params Guid[] ids)
        where T : notnull;

    /// <inheritdoc cref="LoadManyAsync{T}(string[])"/>
    Task<IReadOnlyList<T>> LoadManyAsync<T>(CancellationToken token, params string[] ids)
        where T : notnull;

    /// <inheritdoc cref="LoadManyAsync{T}(string[])"/>
    Task<IReadOnlyList<T>> LoadManyAsync<T>(CancellationToken token, params Guid[] ids)
        where T : notnull;

    Task<bool> CheckExistsAsync<T>(string id, CancellationToken token = default)
        where T : notnull;

    /// <inheritdoc cref="CheckExistsAsync{T}(string, CancellationToken)"/>
    Task<bool> CheckExistsAsync<T>(Guid id, CancellationToken token = default)
        where T : notnull;

    /// <summary>
    /// The documents that a clause selects, for example <c>where data ->> 'Name' = ?</c>; the documents' table is <c>d</c>.
    /// Each <c>?</c> stands for one parameter.
    /// </summary>
    Task<IReadOnlyList<T>> QueryAsync<T>(string sql, CancellationToken token, params object[] parameters)
        where T : notnull;

    /// <inheritdoc cref="QueryAsync{T}(string, CancellationToken, object[])"/>
    Task<IReadOnlyList<T>> QueryAsync<T>(string sql, params object[] parameters)
        where T : notnull;
}
