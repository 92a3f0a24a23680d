using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Marten.Exceptions;
using Npgsql;
using static TorchSharp.torch;

namespace Alt.Tests.Activities;

public sealed class FailuresTests(PostgresFixture postgres) : IClassFixture<PostgresFixture>
{
    private const string Trace =
        "\nException raised from addmm_impl_cpu_ at ../aten/LinearAlgebra.cpp:5 (most recent call first):\nframe #0: c10::Error + 0x3c";

    public static TheoryData<string> Names => [.. Failing.Keys];

    private static Dictionary<string, Exception> Failing => new()
    {
        ["permanent: bad input, whatever it wraps"] = new InputException("no such key", new IOException("broken")),
        ["permanent: a wrong argument"] = new ArgumentOutOfRangeException("rank"),
        ["permanent: a defect"] = new NullReferenceException(),
        ["permanent: a missing file"] = new FileNotFoundException(),
        ["permanent: a missing folder"] = new DirectoryNotFoundException(),
        ["permanent: a file that ends too early"] = new EndOfStreamException(),
        ["permanent: a damaged file"] = new FormatException(),
        ["permanent: a file of another user"] = new UnauthorizedAccessException(),
        ["permanent: a damaged artifact"] = new ArtifactException("artifact 1234 is corrupt"),
        ["permanent: a missing artifact"] = new ArtifactException("artifact 1234 is missing", new FileNotFoundException()),
        ["permanent: a damaged record"] = new LedgerException("the stream has lost its event 3"),
        ["permanent: wrong shapes"] = new ExternalException("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)" + Trace),
        ["permanent: a native library"] = new TypeInitializationException("TorchSharp.torch", new DllNotFoundException()),
        ["permanent: refused by PostgreSQL"] = Refusal(PostgresErrorCodes.SyntaxError),
        ["permanent: refused by a service"] = new HttpRequestException("no", null, HttpStatusCode.NotFound),
        ["transient: a lost connection"] = new NpgsqlException("Exception while reading from stream", new IOException()),
        ["transient: a lost connection, wrapped"] =
            new AggregateException(new InvalidOperationException("failed", new NpgsqlException("broken", new SocketException(104)))),
        ["transient: a server that ends"] = Refusal(PostgresErrorCodes.AdminShutdown),
        ["transient: a server that was killed"] = Refusal(PostgresErrorCodes.CrashShutdown),
        ["transient: a server that starts"] = Refusal(PostgresErrorCodes.CannotConnectNow),
        ["transient: a deadlock"] = Refusal(PostgresErrorCodes.DeadlockDetected),
        ["transient: a time that is over"] = new TimeoutException(),
        ["transient: a request that took too long"] = new TaskCanceledException("timed out", new TimeoutException()),
        ["transient: a refused connection"] = new SocketException(111),
        ["transient: a service that is unreachable"] = new HttpRequestException("reset", new SocketException(104)),
        ["transient: a service in trouble"] = new HttpRequestException("busy", null, HttpStatusCode.ServiceUnavailable),
        ["transient: a service that asks to wait"] = new HttpRequestException("slower", null, HttpStatusCode.TooManyRequests),
        ["transient: an interrupted read"] = new IOException("Input/output error", 5),
        ["transient: an unreadable artifact"] = new ArtifactException("artifact 1234", new IOException("Input/output error", 5)),
        ["transient: something that was let go"] = new ObjectDisposedException("store"),
        ["permanent: a full disk"] = new IOException("No space left on device", 28),
        ["permanent: a full disk under an artifact"] = new ArtifactException(
            "artifact 1234", new IOException("No space left on device", 28)),
        ["permanent: a full disk under PostgreSQL"] = new LedgerException("event 4", Refusal(PostgresErrorCodes.ProgramLimitExceeded)),
        ["permanent: PostgreSQL says that its disk is full"] = Refusal(PostgresErrorCodes.DiskFull),
        ["full: a GPU"] = new ExternalException("CUDA out of memory. Tried to allocate 20.00 MiB." + Trace),
        ["full: a GPU's library"] = new ExternalException("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        ["full: a memory"] = new ExternalException("[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory."),
        ["full: the runtime's memory"] = new OutOfMemoryException(),
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void A_failure_is_told_by_its_kind(string name) =>
        Assert.Equal(Enum.Parse<FailureKind>(name.Split(':')[0], ignoreCase: true), Failures.KindOf(Failing[name]));

    [Fact]
    public void Wrong_shapes_are_permanent_and_libtorchs_first_line()
    {
        using var scope = NewDisposeScope();
        var failure = Assert.Throws<ExternalException>(() => zeros(2, 3).mm(zeros(4, 5)));

        Assert.Contains("frame #", failure.Message, StringComparison.Ordinal);
        Assert.Equal(FailureKind.Permanent, Failures.KindOf(failure));
        Assert.Equal("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", Failures.SentenceOf(failure));
    }

    [Fact]
    public void A_memory_that_is_full_is_worth_another_attempt()
    {
        using var scope = NewDisposeScope();
        // More than an address space has.
        var failure = Assert.Throws<ExternalException>(() => zeros(1L << 50));

        Assert.Equal(FailureKind.Full, Failures.KindOf(failure));
        Assert.DoesNotContain('\n', Failures.SentenceOf(failure));
    }

    [Fact]
    public async Task A_connection_that_breaks_between_two_statements_is_worth_another_attempt()
    {
        await using var connection = new NpgsqlConnection($"{await postgres.CreateDatabaseAsync()};Pooling=false");
        await connection.OpenAsync();
        await using (var terminate = new NpgsqlCommand("select pg_terminate_backend(pg_backend_pid())", connection))
        {
            var failure = await Assert.ThrowsAnyAsync<Exception>(() => terminate.ExecuteScalarAsync());
            Assert.Equal(FailureKind.Transient, Failures.KindOf(failure));
        }

        var next = await Assert.ThrowsAsync<InvalidOperationException>(async () => await connection.BeginTransactionAsync());
        Assert.Equal(FailureKind.Transient, Failures.KindOf(next));
    }

    [Fact]
    public void A_sentence_leaves_out_the_layers_around_the_cause()
    {
        var cause = new FormatException("config.json: expected a number\nat line 3");
        var failure = new AggregateException(new TargetInvocationException(cause));
        Assert.Equal("config.json: expected a number at line 3", Failures.SentenceOf(failure));
    }

    [Fact]
    public void What_PostgreSQL_refused_is_told_without_the_statement()
    {
        var failure = new MartenCommandException(new NpgsqlCommand("select 1"), Refusal(PostgresErrorCodes.StringDataRightTruncation));
        Assert.Equal("PostgreSQL refused: no (22001)", Failures.SentenceOf(failure));
    }

    [Fact]
    public void A_sentence_ends_before_a_native_trace_however_it_was_wrapped() =>
        Assert.Equal("the policy cannot be read", Failures.SentenceOf(new InvalidOperationException("the policy cannot be read" + Trace)));

    private static PostgresException Refusal(string code) => new("no", "ERROR", "ERROR", code);
}
