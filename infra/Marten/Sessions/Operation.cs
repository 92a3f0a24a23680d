using Marten.Exceptions;
using Npgsql;

namespace Marten.Sessions;

/// <summary>One change that a session saves: its commands, what it reads from their result, and what their failure means.</summary>
internal abstract class Operation
{
    /// <summary>Whether <see cref="ReadAsync"/> has a result to read.</summary>
    public virtual bool HasResult => false;

    /// <summary>Whether <see cref="ReadAsync"/> may refuse, after the command itself succeeded; then the transaction must still be open.</summary>
    public virtual bool MayRefuse => false;

    public abstract IEnumerable<NpgsqlBatchCommand> Commands();

    public virtual Task ReadAsync(NpgsqlDataReader reader, CancellationToken token) => Task.CompletedTask;

    /// <summary>The meaning of a failure of this operation, or null where it has none of its own.</summary>
    public virtual Exception? Translate(PostgresException error) => null;

    protected static NpgsqlBatchCommand Command(string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (NpgsqlParameter parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
    }

    protected static bool IsDuplicate(PostgresException error, string constraint) =>
        error.SqlState == PostgresErrorCodes.UniqueViolation && error.ConstraintName == constraint;
}

/// <summary>A command of the application, in the session's transaction.</summary>
internal sealed class SqlCommandOperation(string sql, object?[] values) : Operation
{
    public override IEnumerable<NpgsqlBatchCommand> Commands() => [Command(SqlText.Number(sql, values.Length), SqlText.Parameters(values))];
}

/// <summary>Commands with <c>?</c> for each parameter.</summary>
internal static class SqlText
{
    /// <summary>The command with <c>$1</c>, <c>$2</c>… in place of each <c>?</c>.</summary>
    /// <exception cref="InvalidOperationException">There are not as many <c>?</c> as parameters.</exception>
    public static string Number(string sql, int parameters)
    {
        string[] parts = sql.Split('?');
        if (parts.Length != parameters + 1)
        {
            throw new InvalidOperationException($"Wrong number of supplied parameters: the command has {parts.Length - 1} placeholders '?' and {parameters} parameters: {sql}");
        }

        return string.Concat(parts.Select((part, index) => index == 0 ? part : $"${index}{part}"));
    }

    public static NpgsqlParameter[] Parameters(object?[] values) => [.. values.Select(value => new NpgsqlParameter { Value = value ?? DBNull.Value })];
}

/// <summary>What an error of PostgreSQL means where the operation that met it has no name of its own for it.</summary>
internal static class Errors
{
    /// <param name="commands">Those of the batch; they are all in the message where the data source does not tell which one failed.</param>
    public static Exception Translate(PostgresException error, IEnumerable<NpgsqlBatchCommand> commands) =>
        error.SqlState == PostgresErrorCodes.SerializationFailure
            ? new ConcurrentUpdateException(error)
            : new MartenCommandException(
                new NpgsqlCommand(error.BatchCommand?.CommandText ?? string.Join(";\n", commands.Select(command => command.CommandText).Distinct())), error);
}
