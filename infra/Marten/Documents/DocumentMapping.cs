using JasperFx;
using Marten.Exceptions;
using Marten.Sessions;
using NpgsqlTypes;

namespace Marten.Documents;

/// <summary>A document type, its table <c>mt_doc_…</c> and the commands on it.</summary>
internal sealed class DocumentMapping
{
    private readonly MemberAccess _id;

    /// <exception cref="InvalidDocumentException">The type has no Id of type string or Guid.</exception>
    public DocumentMapping(Type type, string schema, bool isSnapshot)
    {
        Type = type;
        _id = MemberAccess.Find(type, "Id", typeof(string), typeof(Guid))
            ?? throw new InvalidDocumentException($"Could not determine an 'id/Id' field or property of type string or Guid for requested document type {type.FullName}");
        HasNumericRevisions = isSnapshot || typeof(IRevisioned).IsAssignableFrom(type);
        TableName = "mt_doc_" + Alias(type);
        Table = $"{schema}.{TableName}";
        string now = "transaction_timestamp()";
        string conflict = "on conflict (id) do update set data = excluded.data, mt_last_modified = excluded.mt_last_modified, mt_dotnet_type = excluded.mt_dotnet_type, mt_version = ";
        string insert = $"insert into {Table} as d (id, data, mt_last_modified, mt_dotnet_type, mt_version) values ($1, $2, {now}, $3, ";
        SelectList = HasNumericRevisions ? "d.data, d.mt_version" : "d.data";
        LoadSql = $"select {SelectList} from {Table} as d where d.id = $1";
        LoadManySql = $"select {SelectList} from {Table} as d where d.id = any($1)";
        DeleteSql = $"delete from {Table} where id = $1";
        ExistsSql = $"select 1 from {Table} where id = $1";
        InsertSql = insert + "$4)";
        UpsertSql = $"{insert}$4) {conflict}excluded.mt_version";
        UpdateSql = $"update {Table} set data = $2, mt_last_modified = {now}, mt_dotnet_type = $3, mt_version = $4 where id = $1 returning 1";

        // Revision 0 is one that the caller does not know: one more than what is there. Any other must be newer than what is there.
        ReviseSql = $"{insert}case when $4 = 0 then 1 else $4 end) {conflict}case when $4 = 0 then d.mt_version + 1 else $4 end where $4 = 0 or d.mt_version < $4 returning d.mt_version";
    }

    public Type Type { get; }

    public string TableName { get; }

    /// <summary>Schema and table.</summary>
    public string Table { get; }

    /// <summary>Whether <c>mt_version</c> is a number rather than a Guid.</summary>
    public bool HasNumericRevisions { get; }

    public Type IdType => _id.Type;

    public string IdColumnType => IdType == typeof(Guid) ? "uuid" : "varchar";

    public NpgsqlDbType IdDbType => IdType == typeof(Guid) ? NpgsqlDbType.Uuid : NpgsqlDbType.Varchar;

    public string SelectList { get; }

    public string LoadSql { get; }

    public string LoadManySql { get; }

    public string DeleteSql { get; }

    public string ExistsSql { get; }

    public string InsertSql { get; }

    public string UpsertSql { get; }

    public string UpdateSql { get; }

    public string ReviseSql { get; }

    /// <summary>Lower case, nested types after their outer class, generic arguments at the end: <c>outer_inner</c>, <c>wrapperint32</c>.</summary>
    public static string Alias(Type type)
    {
        string name = type.Name;
        if (type.IsGenericType)
        {
            name = name[..name.IndexOf('`', StringComparison.Ordinal)] + string.Concat(type.GetGenericArguments().Select(argument => argument.Name));
        }

        return (type.IsNested ? $"{type.DeclaringType!.Name}_{name}" : name).ToLowerInvariant();
    }

    /// <summary>The document's identity; a Guid that is empty is filled first.</summary>
    /// <exception cref="InvalidOperationException">The identity is a string that is null or empty.</exception>
    public object AssignIdentity(object document)
    {
        object? id = _id.Get(document);
        switch (id)
        {
            case Guid guid when guid == Guid.Empty:
                id = CombGuid.New();
                _id.Set(document, id);
                return id;
            case null or "":
                throw new InvalidOperationException($"The document {Type.FullName} needs an identity before it is stored, its Id is null or empty.");
            default:
                return id;
        }
    }

    public object Identity(object document) => _id.Get(document) ?? throw new InvalidOperationException($"The document {Type.FullName} has no identity.");

    public void SetIdentity(object document, object id) => _id.Set(document, id);

    /// <exception cref="InvalidOperationException">The identity is null or of another type than the document's.</exception>
    public object CheckIdentity(object? id) =>
        id is not null && id.GetType() == IdType
            ? id
            : throw new InvalidOperationException($"The document {Type.FullName} is identified by {IdType.Name}, not by {id?.GetType().Name ?? "null"}.");
}
