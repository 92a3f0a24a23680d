using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Alt.Domain;
using Alt.Infra;
using Alt.Model.Native;
using Marten.Exceptions;
using Npgsql;

namespace Alt.Activities;

/// <summary>What another attempt at failed work can achieve.</summary>
public enum FailureKind
{
    /// <summary>
    /// It would fail in the same way until a person changes something: the stages are deterministic. A full disk is of this kind.
    /// </summary>
    Permanent,

    /// <summary>A part that was lost comes back within seconds: a process, a connection, a database.</summary>
    Transient,

    /// <summary>A memory is full; another program frees it within minutes.</summary>
    Full,
}

/// <summary>Sorts failures by whether another attempt may succeed, and puts each into one sentence for the user.</summary>
public static class Failures
{
    private const int LongestSentence = 500;

    /// <summary>ENOSPC and EDQUOT, which is what <see cref="Exception.HResult"/> holds for files on Linux.</summary>
    private const int NoSpace = 28, QuotaExceeded = 122;

    // libtorch has one type of exception for everything, and says in its text what was wrong.
    private static readonly string[] NativeMemoryIsFull =
        ["out of memory", "not enough memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED"];

    /// <summary>How a native exception's text continues after the part that says what was wrong.</summary>
    private static readonly string[] BeginningsOfTraces = ["Exception raised from ", "frame #", "C++ CapturedTraceback"];

    /// <summary>The kind, by the outermost exception that shows it; stores and drivers wrap the cause.</summary>
    public static FailureKind KindOf(Exception failure)
    {
        for (var cause = failure; cause is not null; cause = cause.InnerException)
        {
            if (Told(cause) is { } kind)
            {
                return kind;
            }
        }

        return FailureKind.Permanent;
    }

    /// <summary>The exception that says what was wrong, without the layers that only report that something was.</summary>
    public static Exception CauseOf(Exception failure) => failure switch
    {
        AggregateException { InnerExceptions: [var only] } => CauseOf(only),
        TargetInvocationException { InnerException: { } inner } => CauseOf(inner),
        TypeInitializationException { InnerException: { } inner } => CauseOf(inner),
        // Marten puts the whole statement before it.
        MartenCommandException { InnerException: { } inner } => CauseOf(inner),
        _ => failure,
    };

    /// <summary>What was wrong, in one line; a native stack trace, which libtorch puts into its messages, is left out.</summary>
    public static string SentenceOf(Exception failure)
    {
        var cause = CauseOf(failure);
        return cause switch
        {
            PostgresException postgres => $"PostgreSQL refused: {postgres.MessageText} ({postgres.SqlState})",
            NpgsqlException => $"no connection to PostgreSQL: {WithoutTrace(cause)}",
            _ when IsOfLoading(cause) && TorchLibrary.Problem is { } problem => problem,
            _ => WithoutTrace(cause),
        };
    }

    /// <summary>Whether a native library could not be loaded; TorchSharp has a page of its own about that.</summary>
    private static bool IsOfLoading(Exception cause) => cause
        is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException or NotSupportedException { Source: "TorchSharp" };

    private static FailureKind? Told(Exception failure) => failure switch
    {
        InputException => FailureKind.Permanent,
        LedgerException { InnerException: PostgresException } => FailureKind.Permanent,
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } => FailureKind.Permanent,
        PostgresException { SqlState: PostgresErrorCodes.OutOfMemory } => FailureKind.Full,
        // Sessions are terminated by a server that shuts down or was killed.
        PostgresException { SqlState: ['5', '7', 'P', ..] } => FailureKind.Transient,
        NpgsqlException { IsTransient: true } => FailureKind.Transient,
        // Npgsql's way to say that the connection broke between two statements.
        InvalidOperationException { Source: "Npgsql" } => FailureKind.Transient,
        SocketException or TimeoutException or OperationCanceledException => FailureKind.Transient,
        HttpRequestException { StatusCode: HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests } => FailureKind.Transient,
        HttpRequestException { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError } => FailureKind.Permanent,
        HttpRequestException => FailureKind.Transient,
        // Something was disposed while the work used it, as when a worker ends.
        ObjectDisposedException => FailureKind.Transient,
        OutOfMemoryException => FailureKind.Full,
        FileNotFoundException or DirectoryNotFoundException or PathTooLongException or EndOfStreamException => FailureKind.Permanent,
        IOException { HResult: NoSpace or QuotaExceeded } => FailureKind.Permanent,
        IOException => FailureKind.Transient,
        ExternalException when failure.GetType() == typeof(ExternalException) =>
            NativeMemoryIsFull.Any(words => failure.Message.Contains(words, StringComparison.OrdinalIgnoreCase))
                ? FailureKind.Full
                : FailureKind.Permanent,
        _ => null,
    };

    private static string WithoutTrace(Exception cause)
    {
        var lines = cause.Message.Split(['\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .TakeWhile(line => !BeginningsOfTraces.Any(b => line.StartsWith(b, StringComparison.Ordinal)));
        // What follows libtorch's first line is debugging advice.
        var said = string.Join(' ', cause.GetType() == typeof(ExternalException) ? lines.Take(1) : lines);
        return said.Length == 0 ? cause.GetType().Name : said.Length <= LongestSentence ? said : $"{said[..LongestSentence]}…";
    }
}
