using System.Diagnostics;
using Alt.Domain;
using Alt.Workflows;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Activities;
using Temporalio.Api.History.V1;
using Temporalio.Client;
using Temporalio.Exceptions;
using Temporalio.Runtime;
using Temporalio.Worker;
using Temporalio.Workflows;
using TemporalServer;

namespace Alt.Bench;

/// <summary>
/// What durability costs: workflows of activities that do nothing, through the embedded server and its database, one commit per step.
/// </summary>
/// <param name="MillisecondsPerActivity">Wall time of a round divided by its activities; the median of the rounds.</param>
/// <param name="LatencyMilliseconds">
/// From one activity of a workflow to its next, which takes two workflow task and activity hand-overs; the median of all.
/// </param>
/// <param name="ActivitiesPerSecond">All workflows together; the median of the rounds.</param>
public sealed record OverheadFigures(double MillisecondsPerActivity, double LatencyMilliseconds, double ActivitiesPerSecond);

/// <summary>What durability cost a real run.</summary>
/// <param name="IdleShare">The share of the run's time in which none of its activities was at work.</param>
public sealed record RunOverheadFigures(double IdleShare);

/// <summary>Measures <see cref="OverheadFigures"/>.</summary>
public static class OverheadBenchmark
{
    private const int Parallel = 10, ActivitiesOfEach = 100, Rounds = 5;
    private const string Queue = "bench-overhead";

    /// <param name="connection">A database of its own for the server.</param>
    /// <param name="progress">Called after each round.</param>
    public static async Task<OverheadFigures> RunAsync(
        string connection, TemporalRuntime runtime, Action<string> progress, CancellationToken token)
    {
        await using var server = await EmbeddedServer.StartAsync(
            new() { ConnectionString = connection }, token, NullLoggerFactory.Instance);
        var client = await TemporalClient.ConnectAsync(new(server.Address) { Runtime = runtime });
        var steps = new Steps();
        using var worker = new TemporalWorker(
            client, new TemporalWorkerOptions(Queue).AddWorkflow<OverheadWorkflow>().AddAllActivities(steps));
        return await worker.ExecuteAsync(() => MeasureAsync(client, steps, progress), token);
    }

    private static async Task<OverheadFigures> MeasureAsync(TemporalClient client, Steps steps, Action<string> progress)
    {
        var (seconds, latencies) = (new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            steps.Clear();
            var clock = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => RunOneAsync(client)));
            if (round == 0)
            {
                progress("warmed up");
                continue;
            }

            seconds.Add(clock.Elapsed.TotalSeconds);
            latencies.AddRange(steps.Gaps());
            progress($"{round} of {Rounds}: {Parallel * ActivitiesOfEach} activities in {seconds[^1]:F2} s");
        }

        var perActivity = Median.Of(seconds) / (Parallel * ActivitiesOfEach);
        return new OverheadFigures(1e3 * perActivity, 1e3 * Median.Of(latencies), 1 / perActivity);
    }

    /// <summary>What orchestration cost a finished run: hand-overs, queues, replays.</summary>
    /// <exception cref="InputException">The server does not hold the run's history, or the run has not ended.</exception>
    public static async Task<RunOverheadFigures> OfRunAsync(ITemporalClient client, string run)
    {
        var whole = await EventsAsync(client, AltRunWorkflow.IdOf(run))
            ?? throw new InputException($"run '{run}': the Temporal server has no history of it; ./alt status lists the runs");
        var (start, end) = (whole[0].EventTime.ToDateTime(), whole[^1].EventTime.ToDateTime());
        if (whole[^1].WorkflowExecutionCompletedEventAttributes is null)
        {
            throw new InputException($"run '{run}' has not ended; ./alt run --run-id {run} continues it");
        }

        var work = Work(whole);
        for (var iteration = 0; await EventsAsync(client, AltRunWorkflow.IterationIdOf(run, iteration)) is { } events; iteration++)
        {
            work.AddRange(Work(events));
        }

        return new RunOverheadFigures(1 - Union(work) / (end - start).TotalSeconds);
    }

    private static async Task<IReadOnlyList<HistoryEvent>?> EventsAsync(ITemporalClient client, string workflow)
    {
        try
        {
            return [.. (await client.GetWorkflowHandle(workflow).FetchHistoryAsync()).Events];
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            return null;
        }
    }

    private static List<(DateTime Start, DateTime End)> Work(IReadOnlyList<HistoryEvent> events)
    {
        var times = events.ToDictionary(e => e.EventId, e => e.EventTime.ToDateTime());
        return
        [
            .. from e in events
               let started = e.ActivityTaskCompletedEventAttributes?.StartedEventId
                   ?? e.ActivityTaskFailedEventAttributes?.StartedEventId ?? e.ActivityTaskTimedOutEventAttributes?.StartedEventId
               where started > 0
               select (times[started.Value], times[e.EventId]),
        ];
    }

    // Seconds that at least one of the spans covers.
    private static double Union(List<(DateTime Start, DateTime End)> spans)
    {
        var (total, reached) = (0.0, DateTime.MinValue);
        foreach (var (start, end) in spans.Order())
        {
            var from = start > reached ? start : reached;
            total += Math.Max(0, (end - from).TotalSeconds);
            reached = end > reached ? end : reached;
        }

        return total;
    }

    private static async Task RunOneAsync(TemporalClient client)
    {
        var id = $"bench-overhead-{Guid.NewGuid()}";
        await client.ExecuteWorkflowAsync((OverheadWorkflow w) => w.RunAsync(id, ActivitiesOfEach), new(id, Queue));
    }

    /// <summary>Activities that only note when they ran.</summary>
    public sealed class Steps
    {
        private readonly List<(string Workflow, long At)> _moments = [];

        [Activity]
        public void Step(string workflow)
        {
            lock (_moments)
            {
                _moments.Add((workflow, Stopwatch.GetTimestamp()));
            }
        }

        public void Clear() => _moments.Clear();

        /// <summary>Seconds between the neighbours of each workflow.</summary>
        public IEnumerable<double> Gaps() =>
            from one in _moments.GroupBy(m => m.Workflow, m => m.At)
            from pair in one.Zip(one.Skip(1))
            select Stopwatch.GetElapsedTime(pair.First, pair.Second).TotalSeconds;
    }
}

/// <summary>One activity after the other.</summary>
[Workflow]
public class OverheadWorkflow
{
    private static readonly ActivityOptions Options = new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) };

    [WorkflowRun]
    public async Task RunAsync(string id, int activities)
    {
        for (var i = 0; i < activities; i++)
        {
            await Workflow.ExecuteActivityAsync((OverheadBenchmark.Steps s) => s.Step(id), Options);
        }
    }
}
