using Grpc.Core;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class StartTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Theory]
    [InlineData(WorkflowIdConflictPolicy.Unspecified, false)]
    [InlineData(WorkflowIdConflictPolicy.Fail, false)]
    [InlineData(WorkflowIdConflictPolicy.UseExisting, true)]
    public async Task A_second_start_of_a_running_workflow_fails_or_finds_it(WorkflowIdConflictPolicy policy, bool finds)
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync();
        var second = worker.StartAsync(r => r.WorkflowIdConflictPolicy = policy);

        if (finds)
        {
            Assert.Equal((first.RunId, false), ((await second).RunId, (await second).Started));
        }
        else
        {
            Assert.Equal(StatusCode.AlreadyExists, (await Assert.ThrowsAsync<RpcException>(() => second)).StatusCode);
        }
    }

    [Theory]
#pragma warning disable CS0612 // Older clients still send it.
    [InlineData(WorkflowIdReusePolicy.TerminateIfRunning, WorkflowIdConflictPolicy.Unspecified)]
#pragma warning restore CS0612
    [InlineData(WorkflowIdReusePolicy.AllowDuplicate, WorkflowIdConflictPolicy.TerminateExisting)]
    public async Task A_second_start_can_end_the_first_run(WorkflowIdReusePolicy reuse, WorkflowIdConflictPolicy conflict)
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync();
        var second = await worker.StartAsync(r =>
            (r.WorkflowIdReusePolicy, r.WorkflowIdConflictPolicy) = (reuse, conflict));

        Assert.NotEqual(first.RunId, second.RunId);
        Assert.Equal(WorkflowExecutionStatus.Terminated, await worker.StatusAsync(first.RunId));
    }

    [Theory]
    [InlineData(WorkflowIdReusePolicy.AllowDuplicate, true, true)]
    [InlineData(WorkflowIdReusePolicy.AllowDuplicateFailedOnly, true, false)]
    [InlineData(WorkflowIdReusePolicy.AllowDuplicateFailedOnly, false, true)]
    [InlineData(WorkflowIdReusePolicy.RejectDuplicate, false, false)]
    public async Task A_closed_workflows_id_is_free_as_the_policy_says(WorkflowIdReusePolicy reuse, bool completed, bool free)
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var task = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(task, completed ? HandWorker.Complete() : HandWorker.Fail("no"));
        var second = worker.StartAsync(r => r.WorkflowIdReusePolicy = reuse);

        if (free)
        {
            Assert.True((await second).Started);
        }
        else
        {
            Assert.StartsWith(
                "AlreadyExists: Workflow execution already finished", (await Assert.ThrowsAsync<RpcException>(() => second)).Text());
        }
    }

    [Fact]
    public async Task A_start_that_finds_a_run_can_leave_its_request_id_there()
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync();
        void Attach(StartWorkflowExecutionRequest r)
        {
            r.RequestId = "attached";
            r.WorkflowIdConflictPolicy = WorkflowIdConflictPolicy.UseExisting;
            r.OnConflictOptions = new() { AttachRequestId = true };
        }

        await worker.StartAsync(Attach);
        await worker.StartAsync(Attach);
        var again = await worker.StartAsync(r => r.RequestId = "attached");

        Assert.Equal(first.RunId, again.RunId);
        Assert.Equal(
            "attached",
            (await worker.HistoryAsync()).Single(e => e.EventType == EventType.WorkflowExecutionOptionsUpdated)
                .WorkflowExecutionOptionsUpdatedEventAttributes.AttachedRequestId);
    }

    [Fact]
    public async Task A_repeated_signal_with_start_starts_and_signals_once()
    {
        var worker = new HandWorker(server.Client);
        SignalWithStartWorkflowExecutionResponse first = await SignalWithStartAsync(worker), again = await SignalWithStartAsync(worker);

        Assert.Equal(first.RunId, again.RunId);
        Assert.Equal(1, (await worker.EventsAsync()).Count(e => e == EventType.WorkflowExecutionSignaled));
    }

    [Fact]
    public async Task A_repeated_cancel_request_is_noted_once()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        var request = new RequestCancelWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowExecution = worker.Execution,
            RequestId = "once"
        };
        await server.Client.CallAsync<RequestCancelWorkflowExecutionResponse>(request);
        await server.Client.CallAsync<RequestCancelWorkflowExecutionResponse>(request);

        Assert.Equal(1, (await worker.EventsAsync()).Count(e => e == EventType.WorkflowExecutionCancelRequested));
    }

    [Fact]
    public async Task A_workflow_with_a_retry_policy_is_started_again_after_a_failure()
    {
        var worker = new HandWorker(server.Client);
        var first = await worker.StartAsync(r => r.RetryPolicy = new()
        {
            InitialInterval = new() { Nanos = 10_000_000 },
            MaximumAttempts = 2,
        });
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Fail("first attempt"));
        var second = await worker.WorkflowTaskAsync();
        await worker.AnswerAsync(second, HandWorker.Fail("second attempt"));

        var started = second.History.Events[0].WorkflowExecutionStartedEventAttributes;
        Assert.Equal((2, first.RunId, ContinueAsNewInitiator.Retry), (started.Attempt, started.ContinuedExecutionRunId, started.Initiator));
        Assert.Equal("first attempt", started.ContinuedFailure.Message);
        Assert.Equal(
            second.WorkflowExecution.RunId,
            (await worker.HistoryAsync(first.RunId))[^1].WorkflowExecutionFailedEventAttributes.NewExecutionRunId);
        Assert.Equal(
            RetryState.MaximumAttemptsReached, (await worker.HistoryAsync())[^1].WorkflowExecutionFailedEventAttributes.RetryState);
    }

    [Fact]
    public async Task Update_with_start_starts_once_and_answers_the_update_even_after_the_end()
    {
        var worker = new HandWorker(server.Client);
        var first = UpdateWithStartAsync(worker, "u1");
        var task = await worker.WorkflowTaskAsync();
        Assert.Equal("u1", Assert.Single(task.Messages).ProtocolInstanceId);
        await worker.AnswerAsync(task, r =>
        {
            r.Messages.Add(HandWorker.UpdateAnswers("u1"));
            r.ForceCreateNewWorkflowTask = true;
        });
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());

        var again = await UpdateWithStartAsync(worker, "u1");

        Assert.True((await first).Responses[0].StartWorkflow.Started);
        Assert.Equal(HandWorker.Text("u1"), (await first).Responses[1].UpdateWorkflow.Outcome.Success);
        Assert.False(again.Responses[0].StartWorkflow.Started);
        Assert.Equal((await first).Responses[1].UpdateWorkflow.Outcome, again.Responses[1].UpdateWorkflow.Outcome);
    }

    [Fact]
    public async Task Update_with_start_tells_which_of_the_two_failed()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();

        var failed = await Assert.ThrowsAsync<RpcException>(() =>
            UpdateWithStartAsync(worker, "u1", WorkflowIdConflictPolicy.Fail));

        Assert.StartsWith(
            "AlreadyExists: MultiOperation could not be executed: Start failed: Workflow execution is already running.", failed.Text());
    }

    private Task<SignalWithStartWorkflowExecutionResponse> SignalWithStartAsync(HandWorker worker) =>
        server.Client.CallAsync<SignalWithStartWorkflowExecutionResponse>(new SignalWithStartWorkflowExecutionRequest
        {
            Namespace = "default",
            WorkflowId = worker.WorkflowId,
            WorkflowType = new() { Name = "Test" },
            TaskQueue = new() { Name = worker.Queue },
            SignalName = "hello",
            RequestId = "the-same",
        });

    private Task<ExecuteMultiOperationResponse> UpdateWithStartAsync(
        HandWorker worker, string updateId, WorkflowIdConflictPolicy policy = WorkflowIdConflictPolicy.UseExisting)
    {
        var request = new ExecuteMultiOperationRequest { Namespace = "default", ResourceId = worker.WorkflowId };
        request.Operations.Add(new ExecuteMultiOperationRequest.Types.Operation
        {
            StartWorkflow = worker.StartRequest(r =>
            r.WorkflowIdConflictPolicy = policy)
        });
        request.Operations.Add(
            new ExecuteMultiOperationRequest.Types.Operation { UpdateWorkflow = worker.UpdateRequest("change", updateId) });
        return server.Client.CallAsync<ExecuteMultiOperationResponse>(request);
    }
}
