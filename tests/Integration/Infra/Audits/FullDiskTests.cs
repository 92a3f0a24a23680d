using System.Diagnostics;
using System.Globalization;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra.Audits;

/// <summary>
/// A PostgreSQL of its own that may not write beyond a size of file, as if its disk were full there. Any user may limit their own
/// processes.
/// </summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    /// <summary>
    /// A segment of the write-ahead log and half a page: no log record is refused, and the page of a table that would be the next is cut in
    /// two.
    /// </summary>
    private const int Limit = (16 << 20) + 4096;

    /// <summary>Rows beyond that size.</summary>
    private const int Samples = 120_000;

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("alt-full-");
    private PostgresCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await PostgresCluster.JoinAsync(_home.FullName);

    public async Task DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _home.Delete(recursive: true);
    }

    [Fact]
    public async Task A_full_disk_under_PostgreSQL_is_one_line_and_leaves_the_record_as_it_was()
    {
        await using var run = await SmallRun.OpenAsync(await _cluster.EnsureDatabaseAsync("alt"));
        await run.StartAsync();
        await run.IterateAsync(1);
        var samples = await run.Artifacts.PutJsonLinesAsync(
            Enumerable.Range(0, Samples).Select(i => new Sample(new SampleId(2, i, 0), "", [1], [0], FinishReason.Stop)));
        var chunk = new IterationEvent.ChunkFinished(Stage.Sampling, 0, samples, Samples, Samples, 1);
        var before = await run.DumpAsync();

        // Sessions that begin now have the limit of the process that starts them.
        await LimitAsync(Limit.ToString(CultureInfo.InvariantCulture));
        await using (var limited = await Ledger.OpenAsync($"{run.ConnectionString};Application Name=limited", run.Artifacts))
        {
            var error = await Assert.ThrowsAsync<LedgerException>(() =>
                limited.RecordAsync<IterationEvent.ChunkFinished>(new IterationRef(SmallRun.Id, 2), _ => null, chunk));

            Assert.StartsWith(
                "event 1 of iteration-small-2 is not recorded, PostgreSQL has no space left: could not extend file", error.Message,
                StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
            Assert.Equal(before, await run.DumpAsync());
            Assert.Empty((await new Verification(limited, run.Artifacts, SmallRun.Id).RunAsync()).Problems);
        }

        await LimitAsync("unlimited");
        await using var free = await Ledger.OpenAsync($"{run.ConnectionString};Application Name=free", run.Artifacts);
        await free.RecordAsync<IterationEvent.ChunkFinished>(new IterationRef(SmallRun.Id, 2), _ => null, chunk);
        Assert.Equal(before["alt_samples"].Length + Samples, (await run.DumpAsync())["alt_samples"].Length);
        Assert.Empty((await new Verification(free, run.Artifacts, SmallRun.Id).RunAsync()).Problems);
    }

    private async Task LimitAsync(string bytes)
    {
        var postmaster = Postmaster.ProcessIdOf(_home.FullName)!.Value;
        // Only the user of a process may limit it, and root runs PostgreSQL as another user.
        const string Command = """
            [ "$(id -u)" != 0 ] || as="setpriv --reuid=$(stat -c %u "$1") --regid=$(stat -c %g "$1") --clear-groups"
            exec $as prlimit --pid=$2 --fsize=$3:
            """;
        using var prlimit = Process.Start("sh", [
            "-c", Command, "sh", Path.Combine(_home.FullName, "pg", "data"), postmaster.ToString(CultureInfo.InvariantCulture), bytes
        ]);
        await prlimit.WaitForExitAsync();
        Assert.Equal(0, prlimit.ExitCode);
    }
}
