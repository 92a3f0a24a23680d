using System.Reflection;
using Google.Protobuf;
using Grpc.Core;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.Worker.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Serving;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class RpcTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Operator = "/temporal.api.operatorservice.v1.OperatorService/";

    [Fact]
    public void The_readme_lists_the_rpcs_that_there_are()
    {
        string[] served = [.. typeof(RpcBinding).Assembly.GetTypes().Where(t => t.Namespace == "TemporalServer.Rpc")
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(m => m.GetParameters() is [_, { } last] && last.ParameterType == typeof(ServerCallContext))
            .Select(m => m.Name).Order(StringComparer.Ordinal)];
        string[] listed = [.. File.ReadLines(Repository.PathOf("infra", "TemporalServer", "README.md"))
            .SkipWhile(line => !line.StartsWith("| RPCs", StringComparison.Ordinal)).Skip(2).TakeWhile(line => line.StartsWith('|'))
            .SelectMany(line => line.Split('|')[1].Split(',', StringSplitOptions.TrimEntries)).Order(StringComparer.Ordinal)];

        Assert.Equal(served, listed);
    }

    [Fact]
    public async Task An_unknown_rpc_is_refused_in_the_official_words()
    {
        var schedule = await Assert.ThrowsAsync<RpcException>(
            () => CallAsync<CreateScheduleResponse>(new CreateScheduleRequest { Namespace = "default" }));
        var service = await Assert.ThrowsAsync<RpcException>(
            () => server.Client.CallAsync<GetSystemInfoResponse>("/no.such.Service/Call", new GetSystemInfoRequest()));

        Assert.Equal(
            "Unimplemented: unknown method CreateSchedule for service temporal.api.workflowservice.v1.WorkflowService", schedule.Text());
        Assert.Equal("Unimplemented: unknown service no.such.Service", service.Text());
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_refused_in_the_words_that_official_workers_act_on()
    {
        var large = await Assert.ThrowsAsync<RpcException>(() => CallAsync<SignalWorkflowExecutionResponse>(
            new SignalWorkflowExecutionRequest { Namespace = "default", Input = HandWorker.Text(new string('x', 5 * 1024 * 1024)) }));

        Assert.StartsWith("ResourceExhausted: grpc: received message larger than max (", large.Text(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_namespace_that_is_not_there_is_named()
    {
        var missing = await Assert.ThrowsAsync<RpcException>(
            () => CallAsync<ListWorkflowExecutionsResponse>(new ListWorkflowExecutionsRequest { Namespace = "nowhere" }));

        Assert.Equal("NotFound: Namespace nowhere is not found.", missing.Text());
    }

    [Fact]
    public async Task Lists_of_what_there_is_not_are_empty()
    {
        Assert.Empty((await CallAsync<ListSchedulesResponse>(new ListSchedulesRequest { Namespace = "default" })).Schedules);
        Assert.Equal(0, (await CallAsync<CountSchedulesResponse>(new CountSchedulesRequest { Namespace = "default" })).Count);
        Assert.Empty(
            (await CallAsync<ListBatchOperationsResponse>(new ListBatchOperationsRequest { Namespace = "default" })).OperationInfo);
        Assert.Empty(
            (await CallAsync<ListWorkerDeploymentsResponse>(new ListWorkerDeploymentsRequest { Namespace = "default" })).WorkerDeployments);
        Assert.Empty((await server.Client.CallAsync<ListNexusEndpointsResponse>(
            $"{Operator}ListNexusEndpoints", new ListNexusEndpointsRequest())).Endpoints);
    }

    [Fact]
    public async Task The_server_tells_what_it_is()
    {
        var cluster = await CallAsync<GetClusterInfoResponse>(new GetClusterInfoRequest());
        var system = await CallAsync<GetSystemInfoResponse>(new GetSystemInfoRequest());
        var namespaces = await CallAsync<ListNamespacesResponse>(new ListNamespacesRequest());

        Assert.Equal((cluster.ServerVersion, "postgres"), (system.ServerVersion, cluster.PersistenceStore));
        Assert.False(system.Capabilities.Nexus);
        Assert.False(system.Capabilities.SupportsSchedules);
        Assert.True(system.Capabilities.CountGroupByExecutionStatus);
        Assert.Contains(namespaces.Namespaces, n =>
            n is { NamespaceInfo: { Name: "default", Limits.BlobSizeLimitError: 2 * 1024 * 1024 } });
    }

    [Fact]
    public async Task Search_attributes_can_be_added_and_removed()
    {
        var add = new AddSearchAttributesRequest { Namespace = "default" };
        add.SearchAttributes.Add("Mood", IndexedValueType.Keyword);
        await server.Client.CallAsync<AddSearchAttributesResponse>($"{Operator}AddSearchAttributes", add);
        var listed = await server.Client.CallAsync<ListSearchAttributesResponse>(
            $"{Operator}ListSearchAttributes", new ListSearchAttributesRequest());
        var remove = new RemoveSearchAttributesRequest { Namespace = "default" };
        remove.SearchAttributes.Add("Mood");
        await server.Client.CallAsync<RemoveSearchAttributesResponse>($"{Operator}RemoveSearchAttributes", remove);
        var after = await server.Client.CallAsync<ListSearchAttributesResponse>(
            $"{Operator}ListSearchAttributes", new ListSearchAttributesRequest());

        Assert.Equal(IndexedValueType.Keyword, listed.CustomAttributes["Mood"]);
        Assert.DoesNotContain("Mood", after.CustomAttributes.Keys);
        Assert.Equal(IndexedValueType.Datetime, after.SystemAttributes["StartTime"]);
    }

    [Fact]
    public async Task A_search_attribute_that_was_not_added_cannot_be_set()
    {
        const string Refusal = "Namespace default has no mapping defined for search attribute Nowhere";
        var attributes = new SearchAttributes
        {
            IndexedFields = { ["Nowhere"] = new Payload { Data = ByteString.CopyFromUtf8("\"here\"") } }
        };
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();

        var start = await Assert.ThrowsAsync<RpcException>(() =>
            new HandWorker(server.Client).StartAsync(r => r.SearchAttributes = attributes));
        var signal = await Assert.ThrowsAsync<RpcException>(() =>
            CallAsync<SignalWithStartWorkflowExecutionResponse>(new SignalWithStartWorkflowExecutionRequest
            {
                Namespace = "default",
                WorkflowId = "never",
                WorkflowType = new() { Name = "Test" },
                TaskQueue = new() { Name = "never" },
                SignalName = "go",
                SearchAttributes = attributes,
            }));
        Assert.All([start, signal], e => Assert.Equal($"InvalidArgument: {Refusal}", e.Text()));

        Command[] commands =
        [
            new()
            {
                CommandType = CommandType.UpsertWorkflowSearchAttributes,
                UpsertWorkflowSearchAttributesCommandAttributes = new() { SearchAttributes = attributes }
            },
            new()
            {
                CommandType = CommandType.StartChildWorkflowExecution,
                StartChildWorkflowExecutionCommandAttributes = new()
                {
                    WorkflowId = "child",
                    WorkflowType = new() { Name = "Test" },
                    SearchAttributes = attributes
                },
            },
            new()
            {
                CommandType = CommandType.ContinueAsNewWorkflowExecution,
                ContinueAsNewWorkflowExecutionCommandAttributes = new() { SearchAttributes = attributes }
            },
        ];
        foreach (var command in commands)
        {
            var task = await worker.WorkflowTaskAsync();
            var answer = await Assert.ThrowsAsync<RpcException>(() => worker.AnswerAsync(task, command));
            Assert.Equal($"InvalidArgument: BadSearchAttributes: {Refusal}", answer.Text());
        }

        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());
        var failed = Assert.Single(await worker.HistoryAsync(), e => e.EventType == EventType.WorkflowTaskFailed);
        Assert.Equal(WorkflowTaskFailedCause.BadSearchAttributes, failed.WorkflowTaskFailedEventAttributes.Cause);
    }

    [Fact]
    public async Task Open_and_closed_workflows_are_listed_and_counted_by_status()
    {
        var open = new HandWorker(server.Client);
        var closed = new HandWorker(server.Client);
        var type = $"It's a \\ type {Guid.NewGuid():N}";
        await open.StartAsync(r => r.WorkflowType.Name = type);
        await closed.StartAsync(r => r.WorkflowType.Name = type);
        await closed.AnswerAsync(await closed.WorkflowTaskAsync(), HandWorker.Complete());

        var opened = await CallAsync<ListOpenWorkflowExecutionsResponse>(
            new ListOpenWorkflowExecutionsRequest { Namespace = "default", TypeFilter = new() { Name = type } });
        var ended = await CallAsync<ListClosedWorkflowExecutionsResponse>(
            new ListClosedWorkflowExecutionsRequest { Namespace = "default", ExecutionFilter = new() { WorkflowId = closed.WorkflowId } });
        var count = await CallAsync<CountWorkflowExecutionsResponse>(new CountWorkflowExecutionsRequest
        {
            Namespace = "default",
            Query = $"WorkflowId IN ('{open.WorkflowId}', '{closed.WorkflowId}') GROUP BY ExecutionStatus",
        });

        Assert.Equal(open.WorkflowId, Assert.Single(opened.Executions).Execution.WorkflowId);
        Assert.Equal(WorkflowExecutionStatus.Completed, Assert.Single(ended.Executions).Status);
        Assert.Equal(["\"Running\" 1", "\"Completed\" 1"], count.Groups.Select(g => $"{g.GroupValues[0].Data.ToStringUtf8()} {g.Count}"));
    }

    [Fact]
    public async Task A_task_queue_tells_its_backlog_and_its_pollers()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var request = new DescribeTaskQueueRequest
        {
            Namespace = "default",
            TaskQueue = new() { Name = worker.Queue },
            TaskQueueType = TaskQueueType.Workflow
        };

        var before = await CallAsync<DescribeTaskQueueResponse>(request);
        await worker.WorkflowTaskAsync();
        var after = await CallAsync<DescribeTaskQueueResponse>(request);

        Assert.Equal((1, 0), (before.Stats.ApproximateBacklogCount, before.Pollers.Count));
        Assert.True(before.Stats.ApproximateBacklogAge.ToTimeSpan() > TimeSpan.Zero);
        Assert.Equal((0, "test"), (after.Stats.ApproximateBacklogCount, Assert.Single(after.Pollers).Identity));
    }

    [Fact]
    public async Task A_description_holds_what_is_pending()
    {
        var worker = new HandWorker(server.Client);
        var child = worker.Child();
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), worker.ScheduleActivity("a"), worker.StartChild(child));
        await worker.HeartbeatAsync(await worker.ActivityTaskAsync(), "half");
        await child.WorkflowTaskAsync();
        await worker.WorkflowTaskAsync();

        var description = await worker.DescribeAsync();

        Assert.Equal(
            ("a", PendingActivityState.Started, HandWorker.Text("half")),
            (
                description.PendingActivities[0].ActivityId, description.PendingActivities[0].State,
                description.PendingActivities[0].HeartbeatDetails));
        Assert.Equal(child.WorkflowId, Assert.Single(description.PendingChildren).WorkflowId);
        Assert.Equal(PendingWorkflowTaskState.Started, description.PendingWorkflowTask.State);
    }

    [Fact]
    public async Task A_history_can_be_read_backwards_in_pages()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());
        var ids = new List<long>();
        var request = new GetWorkflowExecutionHistoryReverseRequest
        {
            Namespace = "default",
            Execution = worker.Execution,
            MaximumPageSize = 2
        };
        do
        {
            var page = await CallAsync<GetWorkflowExecutionHistoryReverseResponse>(request);
            ids.AddRange(page.History.Events.Select(e => e.EventId));
            request.NextPageToken = page.NextPageToken;
        }
        while (!request.NextPageToken.IsEmpty);

        Assert.Equal([5, 4, 3, 2, 1], ids);
    }

    [Fact]
    public async Task Workers_are_listed_by_their_heartbeats()
    {
        var heartbeat = new RecordWorkerHeartbeatRequest { Namespace = "default", Identity = "w" };
        heartbeat.WorkerHeartbeat.Add(new WorkerHeartbeat { WorkerInstanceKey = "key-1", WorkerIdentity = "w", TaskQueue = "q" });
        await CallAsync<RecordWorkerHeartbeatResponse>(heartbeat);

        Assert.Equal(
            "q", Assert.Single((await CallAsync<ListWorkersResponse>(new ListWorkersRequest { Namespace = "default" })).Workers).TaskQueue);
        Assert.Equal(1, (await CallAsync<CountWorkersResponse>(new CountWorkersRequest { Namespace = "default" })).Count);
        Assert.Equal("w", (await CallAsync<DescribeWorkerResponse>(
            new DescribeWorkerRequest { Namespace = "default", WorkerInstanceKey = "key-1" })).WorkerInfo.WorkerHeartbeat.WorkerIdentity);
    }

    private Task<T> CallAsync<T>(IMessage request)
        where T : class, IMessage<T>, new() => server.Client.CallAsync<T>(request);
}
