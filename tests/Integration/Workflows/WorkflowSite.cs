using Alt.Activities;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Temporal;
using Alt.Workflows;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Worker;

namespace Alt.Tests.Workflows;

/// <summary>
/// The two workflows on an embedded server, over activities that a test decides. What a test recorded is replayed at its end.
/// </summary>
public sealed class WorkflowSite : IAsyncLifetime
{
    private readonly TemporalFixture _temporal = new();

    public Task InitializeAsync() => _temporal.InitializeAsync();

    public Task DisposeAsync() => _temporal.DisposeAsync();

    /// <param name="name">The run's id; null for one of its own.</param>
    internal async Task WithWorkersAsync(StubActivities activities, Func<RunUnderTest, Task> test, string? name = null)
    {
        var client = new TemporalClient(_temporal.Client.Connection, new() { DataConverter = AltPayloads.Converter });
        var run = new RunUnderTest(client, name ?? $"test{Guid.NewGuid():N}");
        using var main = New(TaskQueues.Main, o => o.AddWorkflow<AltRunWorkflow>().AddWorkflow<IterationWorkflow>());
        using var models = New(TaskQueues.Gpu);
        using var judges = New(TaskQueues.Feedback);
        await main.ExecuteAsync(() => models.ExecuteAsync(() => judges.ExecuteAsync(() => test(run))));
        await run.ReplayAsync();

        TemporalWorker New(string queue, Action<TemporalWorkerOptions>? add = null)
        {
            var options = new TemporalWorkerOptions(queue) { Interceptors = [new ActivityInterceptor()] }.AddAllActivities(activities);
            add?.Invoke(options);
            return new TemporalWorker(client, options);
        }
    }
}

/// <summary>One run of a test, and its workflows.</summary>
internal sealed class RunUnderTest(ITemporalClient client, string run)
{
    public WorkflowHandle<AltRunWorkflow> Handle { get; } = client.GetWorkflowHandle<AltRunWorkflow>(AltRunWorkflow.IdOf(run));

    /// <param name="configure">More of the start's options, such as a signal that comes with it.</param>
    public Task StartAsync(int iterations = 1, AltRunWorkflow.State? state = null, Action<WorkflowOptions>? configure = null)
    {
        var config = new RunConfig { Iterations = iterations };
        var options = new WorkflowOptions(AltRunWorkflow.IdOf(run), TaskQueues.Main);
        configure?.Invoke(options);
        return client.StartWorkflowAsync((AltRunWorkflow w) => w.RunAsync(config, state), options);
    }

    public async Task ExecuteAsync(int iterations = 1, AltRunWorkflow.State? state = null)
    {
        await StartAsync(iterations, state);
        await Handle.GetResultAsync();
    }

    public WorkflowHandle<IterationWorkflow> Iteration(int number) =>
        client.GetWorkflowHandle<IterationWorkflow>(AltRunWorkflow.IterationIdOf(run, number));

    /// <summary>Starts an iteration that belongs to no run.</summary>
    public Task<WorkflowHandle<IterationWorkflow>> StartIterationAsync(int number)
    {
        var iteration = new IterationRef(run, number);
        return client.StartWorkflowAsync(
            (IterationWorkflow w) => w.RunAsync(iteration), new(AltRunWorkflow.IterationIdOf(run, number), TaskQueues.Main));
    }

    public Task<AltRunWorkflow.State> StateAsync() => Handle.QueryAsync(w => w.Progress());

    public Task UntilAsync(Func<AltRunWorkflow.State, bool> condition, string name) =>
        Wait.ForAsync(async () => condition(await StateAsync()), name);

    /// <summary>Waits until the run's history has an event of a kind.</summary>
    public Task UntilEventAsync(EventType type) =>
        Wait.ForAsync(async () => (await Handle.FetchHistoryAsync()).Events.Any(e => e.EventType == type), $"{type}");

    /// <summary>The states that the run's executions began with, the first first.</summary>
    public async Task<IReadOnlyList<AltRunWorkflow.State?>> CarriedAsync()
    {
        var carried = new List<AltRunWorkflow.State?>();
        foreach (var history in await HistoriesAsync(id => id == Handle.Id))
        {
            var inputs = history.Events.First().WorkflowExecutionStartedEventAttributes.Input.Payloads_;
            carried.Add(await AltPayloads.Converter.ToValueAsync<AltRunWorkflow.State?>(inputs[1]));
        }

        return carried;
    }

    /// <summary>Replays all executions of the run and of its iterations, whose ids begin with the run's.</summary>
    public async Task ReplayAsync()
    {
        foreach (var history in await HistoriesAsync(id => id.StartsWith(Handle.Id, StringComparison.Ordinal)))
        {
            await HistoryTests.ReplayAsync(history);
        }
    }

    private async Task<IReadOnlyList<WorkflowHistory>> HistoriesAsync(Func<string, bool> isWanted)
    {
        var histories = new List<(DateTime Start, WorkflowHistory History)>();
        await foreach (var execution in client.ListWorkflowsAsync(""))
        {
            if (isWanted(execution.Id))
            {
                histories.Add(
                    (execution.StartTime, await client.GetWorkflowHandle(execution.Id, runId: execution.RunId).FetchHistoryAsync()));
            }
        }

        return [.. histories.OrderBy(h => h.Start).Select(h => h.History)];
    }
}
