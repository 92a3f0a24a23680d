using JasperFx;
using Marten.Documents;
using Npgsql;
using NpgsqlTypes;

namespace Marten.Sessions;

internal sealed partial class DocumentSession
{
    public void Store<T>(params T[] entities)
        where T : notnull => Write(entities, WriteMode.Store);

    public void Store<T>(IEnumerable<T> entities)
        where T : notnull => Write(entities, WriteMode.Store);

    public void Insert<T>(params T[] entities)
        where T : notnull => Write(entities, WriteMode.Insert);

    public void Insert<T>(IEnumerable<T> entities)
        where T : notnull => Write(entities, WriteMode.Insert);

    public void Update<T>(params T[] entities)
        where T : notnull => Write(entities, WriteMode.Update);

    public void Update<T>(IEnumerable<T> entities)
        where T : notnull => Write(entities, WriteMode.Update);

    public void Delete<T>(T entity)
        where T : notnull => DeleteById(typeof(T), store.Schema.MappingFor(typeof(T)).Identity(entity));

    public void Delete<T>(string id)
        where T : notnull => DeleteById(typeof(T), id);

    public void Delete<T>(Guid id)
        where T : notnull => DeleteById(typeof(T), id);

    public void QueueSqlCommand(string sql, params object[] parameterValues) => _operations.Add(new SqlCommandOperation(sql, parameterValues));

    public Task<T?> LoadAsync<T>(string id, CancellationToken token = default)
        where T : notnull => LoadOneAsync<T>(id, token);

    public Task<T?> LoadAsync<T>(Guid id, CancellationToken token = default)
        where T : notnull => LoadOneAsync<T>(id, token);

    public Task<IReadOnlyList<T>> LoadManyAsync<T>(params string[] ids)
        where T : notnull => LoadManyAsync<T>(CancellationToken.None, ids);

    public Task<IReadOnlyList<T>> LoadManyAsync<T>(params Guid[] ids)
        where T : notnull => LoadManyAsync<T>(CancellationToken.None, ids);

    public Task<IReadOnlyList<T>> LoadManyAsync<T>(CancellationToken token, params string[] ids)
        where T : notnull => SelectByIdsAsync<T>(ids, typeof(string), token);

    public Task<IReadOnlyList<T>> LoadManyAsync<T>(CancellationToken token, params Guid[] ids)
        where T : notnull => SelectByIdsAsync<T>(ids, typeof(Guid), token);

    public Task<bool> CheckExistsAsync<T>(string id, CancellationToken token = default)
        where T : notnull => ExistsAsync<T>(id, token);

    public Task<bool> CheckExistsAsync<T>(Guid id, CancellationToken token = default)
        where T : notnull => ExistsAsync<T>(id, token);

    public Task<IReadOnlyList<T>> QueryAsync<T>(string sql, params object[] parameters)
        where T : notnull => QueryAsync<T>(sql, CancellationToken.None, parameters);

    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, CancellationToken token, params object[] parameters)
        where T : notnull
    {
        DocumentMapping mapping = await DocumentAsync(typeof(T), token);
        string clause = SqlText.Number(sql, parameters.Length);
        string query = clause.TrimStart().StartsWith("select", StringComparison.OrdinalIgnoreCase)
            ? clause
            : $"select {mapping.SelectList} from {mapping.Table} as d {clause}";
        var command = new NpgsqlBatchCommand(query);
        command.Parameters.AddRange(SqlText.Parameters(parameters));
        return await SelectAsync<T>(mapping, command, token);
    }

    /// <summary>Reads the document in the current row of <see cref="DocumentMapping.SelectList"/>.</summary>
    internal object ReadDocument(DocumentMapping mapping, NpgsqlDataReader reader, int column = 0)
    {
        object document = Json.FromJson(mapping.Type, reader.GetFieldValue<byte[]>(column));
        if (mapping.HasNumericRevisions && document is IRevisioned revisioned && reader.FieldCount > column + 1)
        {
            revisioned.Version = checked((int)reader.GetInt64(column + 1));
        }

        return document;
    }

    private void Write<T>(IEnumerable<T> entities, WriteMode mode)
        where T : notnull
    {
        foreach (T entity in entities)
        {
            _operations.Add(new WriteDocument(store.Schema.MappingFor(entity.GetType()), entity, mode, Json));
        }
    }

    private void DeleteById(Type type, object id)
    {
        DocumentMapping mapping = store.Schema.MappingFor(type);
        object checkedId = mapping.CheckIdentity(id);
        _operations.RemoveAll(operation => operation is WriteDocument { Mode: WriteMode.Insert } write && write.Mapping == mapping && write.Id.Equals(checkedId));
        _operations.Add(new DeleteDocument(mapping, checkedId));
    }

    private async Task<T?> LoadOneAsync<T>(object id, CancellationToken token)
        where T : notnull
    {
        DocumentMapping mapping = await DocumentAsync(typeof(T), token);
        IReadOnlyList<T> found = await SelectAsync<T>(mapping, ById(mapping, mapping.LoadSql, id), token);
        return found.Count == 0 ? default : found[0];
    }

    private async Task<bool> ExistsAsync<T>(object id, CancellationToken token)
    {
        DocumentMapping mapping = await DocumentAsync(typeof(T), token);
        return await ReadAsync([ById(mapping, mapping.ExistsSql, id)], reader => reader.ReadAsync(token), token);
    }

    private async Task<IReadOnlyList<T>> SelectByIdsAsync<T>(object ids, Type idType, CancellationToken token)
        where T : notnull
    {
        DocumentMapping mapping = await DocumentAsync(typeof(T), token);
        if (mapping.IdType != idType)
        {
            throw new InvalidOperationException($"The document {mapping.Type.FullName} is identified by {mapping.IdType.Name}, not by {idType.Name}.");
        }

        var command = new NpgsqlBatchCommand(mapping.LoadManySql);
        command.Parameters.Add(new NpgsqlParameter { Value = ids, NpgsqlDbType = NpgsqlDbType.Array | mapping.IdDbType });
        return await SelectAsync<T>(mapping, command, token);
    }

    private async Task<IReadOnlyList<T>> SelectAsync<T>(DocumentMapping mapping, NpgsqlBatchCommand command, CancellationToken token)
        where T : notnull
    {
        return await ReadAsync<IReadOnlyList<T>>([command], ReadAllAsync, token);

        async Task<IReadOnlyList<T>> ReadAllAsync(NpgsqlDataReader reader)
        {
            var documents = new List<T>();
            while (await reader.ReadAsync(token))
            {
                documents.Add((T)ReadDocument(mapping, reader));
            }

            return documents;
        }
    }

    private static NpgsqlBatchCommand ById(DocumentMapping mapping, string sql, object? id)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = mapping.CheckIdentity(id), NpgsqlDbType = mapping.IdDbType });
        return command;
    }
}
