using Npgsql;

namespace Alt.Infra;

/// <summary>
/// The record is damaged or cannot be written. The message is one line for the user: what is wrong where, and what to do.
/// </summary>
public sealed class LedgerException(string message, Exception? innerException = null) : Exception(message, innerException)
{
    internal static LedgerException Lost(string stream, long version) =>
        new(
            $"the stream {stream} has lost its event {version}; `./alt verify RUN` shows what is damaged, `./alt restore "
            + "FILE` restores a backup");

    internal static LedgerException OtherBuild(string stream, Exception cause) =>
        new(
            $"the stream {stream} was written by another build: {cause.GetBaseException().Message}; continue with that build, or give this "
            + "one a state folder of its own: ALT_HOME=FOLDER ./alt run",
            cause);

    /// <summary>
    /// A file size limit has the same effect as a full disk, and its error code differs between versions of PostgreSQL.
    /// </summary>
    internal static bool IsFullDisk(PostgresException refusal) =>
        refusal.SqlState == PostgresErrorCodes.DiskFull
            || refusal.MessageText.StartsWith("could not extend file", StringComparison.Ordinal);

    internal static LedgerException FullDisk(string stream, long version, PostgresException refusal) =>
        new(
            $"event {version} of {stream} is not recorded, PostgreSQL has no space left: {refusal.MessageText}; free space on its "
                + "disk, then continue the run",
            refusal);
}
