using System.Security.Cryptography;
using Alt.Infra.Temporal;
using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>Whole lives of workflows on the official .NET worker: any cache, encrypted payloads, chains of runs, replays.</summary>
public sealed class LifecycleTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private const int AtOnce = 4;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public Task Several_workflows_at_once_get_on_with_any_cache(int cached) => temporal.RunWorkerAsync(
        options => Configure(options, cached),
        queue => Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => ErrandAsync(temporal.Client, queue))));

    [Fact]
    public async Task Encrypted_payloads_change_nothing_of_it()
    {
        var codec = AesGcmPayloadCodec.Parse($"k:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}");
        var client = new TemporalClient(
            temporal.Client.Connection,
            new()
            {
                DataConverter = DataConverter.Default with
                {
                    PayloadCodec = codec,
                    FailureConverter = new DefaultFailureConverter.WithEncodedCommonAttributes(),
                },
            });

        await temporal.RunWorkerAsync(
            options => Configure(options, cached: 100),
            async queue =>
            {
                var handle = await ErrandAsync(client, queue);
                var history = (await handle.FetchHistoryAsync()).ToJson();
                Assert.DoesNotContain("the shop is closed", history, StringComparison.Ordinal);
                var replay = new WorkflowReplayerOptions { DataConverter = client.Options.DataConverter };
                await new WorkflowReplayer(replay.AddWorkflow<Errand>()).ReplayWorkflowAsync(await handle.FetchHistoryAsync());
            },
            client);
    }

    [Fact]
    public async Task A_chain_of_runs_carries_its_state_and_its_late_signals()
    {
        await temporal.RunWorkerAsync(options => Configure(options, cached: 100), async queue =>
        {
            var options = TemporalFixture.NewWorkflow(queue);
            options.Memo = new Dictionary<string, object> { ["note"] = "kept" };
            var handle = await temporal.Client.StartWorkflowAsync((Relay w) => w.RunAsync(new List<string>()), options);
            for (var i = 0; i < 3; i++)
            {
                await handle.SignalAsync(w => w.AddAsync($"{i}"));
            }

            var carried = await handle.GetResultAsync();
            var last = temporal.Client.GetWorkflowHandle<Relay>(handle.Id);
            var first = temporal.Client.GetWorkflowHandle<Relay>(handle.Id, runId: handle.ResultRunId);

            Assert.Equal(["0", "1", "2"], carried);
            await Assert.ThrowsAsync<WorkflowContinuedAsNewException>(() => handle.GetResultAsync(followRuns: false));
            Assert.Equal("kept", await (await last.DescribeAsync()).Memo["note"].ToValueAsync<string>());
            Assert.Equal(EventType.WorkflowExecutionContinuedAsNew, (await Histories.TypesAsync<Relay>(first))[^1]);
            Assert.Equal(EventType.WorkflowExecutionCompleted, (await Histories.TypesAsync<Relay>(last))[^1]);
        });
    }

    [Fact]
    public async Task A_changed_workflow_does_not_replay_a_history_of_the_server()
    {
        await temporal.RunWorkerAsync(options => Configure(options, cached: 100), async queue =>
        {
            var handle = await ErrandAsync(temporal.Client, queue);

            var replay = await new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow<ChangedErrand>())
                .ReplayWorkflowAsync(await handle.FetchHistoryAsync(), throwOnReplayFailure: false);

            Assert.IsType<WorkflowNondeterminismException>(replay.ReplayFailure);
        });
    }

    private static void Configure(TemporalWorkerOptions options, int cached)
    {
        options.MaxCachedWorkflows = cached;
        options.AddWorkflow<Errand>().AddWorkflow<Stop>().AddWorkflow<Relay>().AddActivity(Errand.Greet);
    }

    private static async Task<WorkflowHandle<Errand, string>> ErrandAsync(ITemporalClient client, string queue)
    {
        var handle = await client.StartWorkflowAsync((Errand w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));
        await handle.SignalAsync(w => w.GoAsync("east"));
        Assert.Equal("Hello, update!", await handle.ExecuteUpdateAsync(w => w.AskAsync("update")));
        Assert.Equal("east", await handle.QueryAsync(w => w.Way));
        await handle.SignalAsync(w => w.GoAsync("home"));
        Assert.Equal("Hello, east! / the shop is closed / Hello, home!", await handle.GetResultAsync());
        Assert.Equal("home", await handle.QueryAsync(w => w.Way));
        if (client.Options.DataConverter.PayloadCodec is null)
        {
            await Histories.CheckedAsync<Errand>(handle);
        }

        return handle;
    }

    /// <summary>Some of everything: signals, a query, an update, activities, a timer, a failing child.</summary>
    [Workflow]
    public class Errand
    {
        private readonly Queue<string> _ways = new();

        [WorkflowQuery]
        public string Way { get; private set; } = "";

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            var first = await GreetNextAsync();
            var failure = "none";
            try
            {
                await Workflow.ExecuteChildWorkflowAsync((Stop w) => w.RunAsync());
            }
            catch (ChildWorkflowFailureException e)
            {
                failure = e.InnerException!.Message;
            }

            await Workflow.DelayAsync(20);
            return $"{first} / {failure} / {await GreetNextAsync()}";
        }

        [WorkflowSignal]
        public Task GoAsync(string way)
        {
            _ways.Enqueue(way);
            return Task.CompletedTask;
        }

        [WorkflowUpdate]
        public Task<string> AskAsync(string name) => GreetAsync(name);

        [Activity]
        public static string Greet(string name) => $"Hello, {name}!";

        private async Task<string> GreetNextAsync()
        {
            await Workflow.WaitConditionAsync(() => _ways.Count > 0);
            Way = _ways.Dequeue();
            return await GreetAsync(Way);
        }

        private static Task<string> GreetAsync(string name) =>
            Workflow.ExecuteActivityAsync(() => Greet(name), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
    }

    /// <summary>What <see cref="Errand"/> might have become.</summary>
    [Workflow("Errand")]
    public class ChangedErrand
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.DelayAsync(TimeSpan.FromSeconds(1));
            return "changed";
        }

        [WorkflowSignal]
        public Task GoAsync(string way) => Task.CompletedTask;

        [WorkflowUpdate]
        public Task<string> AskAsync(string name) => Task.FromResult(name);
    }

    [Workflow]
    public class Stop
    {
        [WorkflowRun]
        public async Task RunAsync()
        {
            await Workflow.DelayAsync(10);
            throw new ApplicationFailureException("the shop is closed", errorType: "Closed");
        }
    }

    /// <summary>Continues as new, at least once, with all that it has received, until that is three.</summary>
    [Workflow]
    public class Relay
    {
        private readonly List<string> _arrived = [];

        [WorkflowRun]
        public async Task<List<string>> RunAsync(List<string> carried)
        {
            await Workflow.WaitConditionAsync(() => _arrived.Count > 0 || carried.Count == 3);
            List<string> all = [.. carried, .. _arrived];
            return carried.Count == 0 || all.Count < 3 ? throw Workflow.CreateContinueAsNewException((Relay w) => w.RunAsync(all)) : all;
        }

        [WorkflowSignal]
        public Task AddAsync(string item)
        {
            _arrived.Add(item);
            return Task.CompletedTask;
        }
    }
}
