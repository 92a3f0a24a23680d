using Alt.Tests.Infra.Calls;
using Alt.Tests.Infra.TemporalServer;

namespace Alt.Tests;

/// <summary>This assembly as the worker process of the tests that kill one. The first argument names the worker.</summary>
internal static class WorkerProgram
{
    public static Task Main(string[] args) => args[0] switch
    {
        CallsWorker.Name => CallsWorker.RunAsync(args[1..]),
        CrashWorker.Name => CrashWorker.RunAsync(args[1..]),
        _ => throw new ArgumentException($"There is no worker '{args[0]}'."),
    };
}
