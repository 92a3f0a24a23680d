using Marten.Documents;

namespace Marten.Schema;

/// <summary>The tables of documents.</summary>
internal static class DocumentSchema
{
    private const string GuidVersion = "mt_version        uuid         not null default (md5(random()::text || clock_timestamp()::text)::uuid)";

    public static string Create(DocumentMapping mapping, string schema) =>
        $"create schema if not exists {schema};\n" + Table(mapping.Table, mapping.TableName, mapping.IdColumnType, mapping.HasNumericRevisions);

    /// <summary>The table in which the official library's daemon would put events that a projection failed on.</summary>
    public static string DeadLetters(string schema) =>
        Table($"{schema}.mt_doc_deadletterevent", "mt_doc_deadletterevent", "uuid", hasNumericRevisions: false);

    private static string Table(string table, string name, string idType, bool hasNumericRevisions) =>
        $"""
        create table if not exists {table} (
            id                {idType}     not null,
            data              jsonb        not null,
            mt_last_modified  timestamptz  null default (transaction_timestamp()),
            {(hasNumericRevisions ? "" : GuidVersion + ",")}
            mt_dotnet_type    varchar      null,
            {(hasNumericRevisions ? "mt_version        bigint       not null default 0," : "")}
            constraint pkey_{name}_id primary key (id)
        );
        """;
}
