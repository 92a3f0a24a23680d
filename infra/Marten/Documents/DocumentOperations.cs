using JasperFx;
using Marten.Exceptions;
using Marten.Sessions;
using Npgsql;
using NpgsqlTypes;

namespace Marten.Documents;

/// <summary>A change to one document.</summary>
internal abstract class DocumentOperation(DocumentMapping mapping, object id) : Operation
{
    public DocumentMapping Mapping { get; } = mapping;

    public object Id { get; } = id;

    protected NpgsqlParameter IdParameter() => new() { Value = Id, NpgsqlDbType = Mapping.IdDbType };
}

internal enum WriteMode
{
    Store,
    Insert,
    Update,
}

internal sealed class WriteDocument(DocumentMapping mapping, object document, WriteMode mode, JsonSerialization json)
    : DocumentOperation(mapping, mapping.AssignIdentity(document))
{
    // As it was when the document was queued: a later change of the object is not part of this unit of work.
    private readonly byte[] _data = json.ToJson(document);
    private readonly long _revision = document is IRevisioned { Version: > 0 } revisioned ? revisioned.Version + 1 : 0;

    public WriteMode Mode => mode;

    public override bool HasResult => mode == WriteMode.Update || ChecksRevision;

    public override bool MayRefuse => HasResult;

    private bool ChecksRevision => Mapping.HasNumericRevisions && mode == WriteMode.Store;

    public override IEnumerable<NpgsqlBatchCommand> Commands()
    {
        string sql = mode switch
        {
            WriteMode.Insert => Mapping.InsertSql,
            WriteMode.Update => Mapping.UpdateSql,
            _ => ChecksRevision ? Mapping.ReviseSql : Mapping.UpsertSql,
        };
        return [Command(sql, IdParameter(), new NpgsqlParameter { Value = _data, NpgsqlDbType = NpgsqlDbType.Jsonb }, new NpgsqlParameter<string> { TypedValue = Mapping.Type.FullName! }, VersionParameter())];
    }

    public override async Task ReadAsync(NpgsqlDataReader reader, CancellationToken token)
    {
        if (!await reader.ReadAsync(token))
        {
            throw ChecksRevision ? new ConcurrencyException(Mapping.Type, Id) : new NonExistentDocumentException(Mapping.Type, Id);
        }

        if (ChecksRevision && document is IRevisioned revisioned)
        {
            revisioned.Version = checked((int)reader.GetInt64(0));
        }
    }

    public override Exception? Translate(PostgresException error) =>
        mode == WriteMode.Insert && IsDuplicate(error, $"pkey_{Mapping.TableName}_id") ? new DocumentAlreadyExistsException(error, Mapping.Type, Id) : null;

    private NpgsqlParameter VersionParameter() =>
        Mapping.HasNumericRevisions
            ? new NpgsqlParameter<long> { TypedValue = mode == WriteMode.Store ? _revision : Math.Max(_revision, 1) }
            : new NpgsqlParameter<Guid> { TypedValue = CombGuid.New() };
}

internal sealed class DeleteDocument(DocumentMapping mapping, object id) : DocumentOperation(mapping, id)
{
    public override IEnumerable<NpgsqlBatchCommand> Commands() => [Command(Mapping.DeleteSql, IdParameter())];
}

/// <summary>Writes an aggregate as it is after the events of the same transaction; its version is that of its stream.</summary>
internal sealed class WriteSnapshot(DocumentMapping mapping, object id, object aggregate, string eventSchema, JsonSerialization json) : DocumentOperation(mapping, id)
{
    public override IEnumerable<NpgsqlBatchCommand> Commands()
    {
        string sql =
            $"insert into {Mapping.Table} (id, data, mt_last_modified, mt_dotnet_type, mt_version) values ($1, $2, transaction_timestamp(), $3, (select version from {eventSchema}.mt_streams where id = $1)) " +
            "on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_dotnet_type = excluded.mt_dotnet_type, mt_version = excluded.mt_version";
        return [Command(sql, IdParameter(), new NpgsqlParameter { Value = json.ToJson(aggregate), NpgsqlDbType = NpgsqlDbType.Jsonb }, new NpgsqlParameter<string> { TypedValue = Mapping.Type.FullName! })];
    }
}
