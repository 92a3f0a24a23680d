using Alt.Infra;
using Alt.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Host.Supervisor;

/// <summary>
/// Which commands follow which run. A run is worked on while a command follows it: when the last one has ended, even by kill -9,
/// what it left open on the server is ended there, and starts again from its record. Otherwise it would run unseen, and take the models'
/// device, whenever another run starts a worker. Only on the embedded server: on an outside one a run runs by itself, and commands join
/// it.
/// </summary>
internal static class RunFollowers
{
    private const string Prefix = "run-";

    /// <summary>Joins a run's followers; the first one ends what earlier ones left open.</summary>
    /// <returns>To be kept for as long as the run is followed.</returns>
    public static async Task<FileLock> JoinAsync(AltHome home, ITemporalClient client, string run, CancellationToken token)
    {
        var path = home.Lock(Prefix + run);
        if (File.Exists(path) && !IsServedByOthers(home))
        {
            using var alone = FileLock.TryTake(path, exclusive: true);
            if (alone is not null)
            {
                await EndAsync(client, run, token);
            }
        }

        return await FileLock.TakeAsync(path, exclusive: false, token);
    }

    /// <summary>
    /// Whether any worker should work on the run: a command follows it, or it needs none, since others started it or serve
    /// it.
    /// </summary>
    public static bool IsFollowed(AltHome home, string run)
    {
        if (IsServedByOthers(home))
        {
            return true;
        }

        var path = home.Lock(Prefix + run);
        using var alone = File.Exists(path) ? FileLock.TryTake(path, exclusive: true) : null;
        return alone is null;
    }

    /// <summary>Ends what is open of all runs that no command follows any more.</summary>
    /// <param name="ended">The runs that earlier calls found ended; kept up to date.</param>
    public static async Task EndLeftAsync(AltHome home, ITemporalClient client, HashSet<string> ended, CancellationToken token)
    {
        foreach (var run in Directory.EnumerateFiles(home.Locks, Prefix + "*").Select(p => Path.GetFileName(p)[Prefix.Length..]))
        {
            using var left = FileLock.TryTake(home.Lock(Prefix + run), exclusive: true);
            if (left is null)
            {
                ended.Remove(run);
            }
            else if (!ended.Contains(run))
            {
                await EndAsync(client, run, token);
                ended.Add(run);
            }
        }
    }

    private static bool IsServedByOthers(AltHome home) => TemporalEndpoint.Read(home) is { Outside: true };

    private static async Task EndAsync(ITemporalClient client, string run, CancellationToken token)
    {
        var workflow = client.GetWorkflowHandle(AltRunWorkflow.IdOf(run));
        try
        {
            var description = await client.WorkflowService.DescribeWorkflowExecutionAsync(
                new() { Namespace = client.Options.Namespace, Execution = new() { WorkflowId = workflow.Id } },
                new() { CancellationToken = token });
            if (description.WorkflowExecutionInfo.Status != WorkflowExecutionStatus.Running)
            {
                return;
            }

            await TerminateAsync(workflow, run, token);
            // The server ends children after their parent, and their ids must be free when the run starts again.
            foreach (var child in description.PendingChildren)
            {
                await TerminateAsync(client.GetWorkflowHandle(child.WorkflowId), run, token);
            }
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            // It never began, or has ended meanwhile.
        }
    }

    private static async Task TerminateAsync(WorkflowHandle workflow, string run, CancellationToken token)
    {
        try
        {
            await workflow.TerminateAsync(
                $"nobody follows run {run}; ./alt run --run-id {run} goes on with it", new() { Rpc = new() { CancellationToken = token } });
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            // It ended by itself.
        }
    }
}
