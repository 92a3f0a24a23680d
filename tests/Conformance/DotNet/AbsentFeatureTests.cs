using NexusRpc;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Client.Schedules;
using Temporalio.Common;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>The server refuses a feature that it lacks clearly and at once; no caller waits for it.</summary>
public sealed class AbsentFeatureTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private const string NoDeployments = "Worker Deployment Versions are disabled on this namespace.";

    [Fact]
    public async Task Polls_of_versioned_workers_are_refused_at_once()
    {
        var service = temporal.Client.Connection.WorkflowService;
        var versioned = new Temporalio.Api.Deployment.V1.WorkerDeploymentOptions
        {
            DeploymentName = "till",
            BuildId = "1",
            WorkerVersioningMode = WorkerVersioningMode.Versioned,
        };
        foreach (var poll in new Func<Task>[]
        {
            () => service.PollWorkflowTaskQueueAsync(
                new() { Namespace = "default", TaskQueue = new() { Name = "q" }, DeploymentOptions = versioned }),
            () => service.PollActivityTaskQueueAsync(
                new() { Namespace = "default", TaskQueue = new() { Name = "q" }, DeploymentOptions = versioned }),
        })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(poll);
            Assert.Equal((RpcException.StatusCode.PermissionDenied, NoDeployments), (refused.Code, refused.Message));
        }
    }

    [Fact]
    public async Task A_worker_that_only_names_its_version_works()
    {
        await temporal.RunWorkerAsync(
            options =>
            {
                options.DeploymentOptions = new(new WorkerDeploymentVersion("till", "1"), useWorkerVersioning: false);
                options.AddWorkflow<Till>();
            },
            async queue =>
            {
                var handle = await temporal.Client.StartWorkflowAsync((Till w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));
                await handle.SignalAsync(w => w.CloseAsync());
                Assert.Empty(await handle.GetResultAsync());
            });
    }

    [Fact]
    public async Task Calls_about_worker_versions_are_refused()
    {
        var service = temporal.Client.Connection.WorkflowService;
        var pinned = TemporalFixture.NewWorkflow("queue");
        pinned.VersioningOverride = new VersioningOverride.Pinned(new WorkerDeploymentVersion("till", "1"));
        foreach (var call in new Func<Task>[]
        {
            () => service.DescribeWorkerDeploymentAsync(new() { Namespace = "default", DeploymentName = "till" }),
            () => service.SetWorkerDeploymentCurrentVersionAsync(new() { Namespace = "default", DeploymentName = "till", BuildId = "1" }),
            () => service.SetWorkerDeploymentRampingVersionAsync(new() { Namespace = "default", DeploymentName = "till", BuildId = "1" }),
            () => temporal.Client.StartWorkflowAsync((Till w) => w.RunAsync(), pinned),
        })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal((RpcException.StatusCode.PermissionDenied, NoDeployments), (refused.Code, refused.Message));
        }

        Assert.Empty((await service.ListWorkerDeploymentsAsync(new() { Namespace = "default" })).WorkerDeployments);
    }

    [Fact]
    public async Task Schedules_and_Nexus_endpoints_cannot_be_made()
    {
        var schedule = await Assert.ThrowsAsync<RpcException>(() => temporal.Client.CreateScheduleAsync(
            "nightly", new(ScheduleActionStartWorkflow.Create((Till w) => w.RunAsync(), TemporalFixture.NewWorkflow("queue")), new())));
        var endpoint = await Assert.ThrowsAsync<RpcException>(
            () => temporal.Client.Connection.OperatorService.CreateNexusEndpointAsync(new()));

        Assert.Equal(
            (RpcException.StatusCode.Unimplemented,
                "unknown method CreateSchedule for service temporal.api.workflowservice.v1.WorkflowService"),
            (schedule.Code, schedule.Message));
        Assert.Equal(RpcException.StatusCode.Unimplemented, endpoint.Code);
    }

    [Fact]
    public async Task A_Nexus_operation_fails_the_workflow_task_that_wants_it()
    {
        await temporal.RunWorkerAsync(options => options.AddWorkflow<NexusCaller>(), async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync((NexusCaller w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));
            Temporalio.Api.History.V1.HistoryEvent? failed = null;
            await Wait.ForAsync(
                async () =>
                {
                    var history = await handle.FetchHistoryAsync();
                    failed = history.Events.FirstOrDefault(e => e.EventType == EventType.WorkflowTaskFailed);
                    return failed is not null;
                },
                "a failed workflow task");

            var told = failed!.WorkflowTaskFailedEventAttributes;
            Assert.Equal(WorkflowTaskFailedCause.FeatureDisabled, told.Cause);
            Assert.Contains("Nexus operations are not supported", told.Failure.Message, StringComparison.Ordinal);
            await handle.TerminateAsync();
        });
    }

    [NexusService]
    public interface IEcho
    {
        [NexusOperation]
        string Say(string text);
    }

    [Workflow]
    public class NexusCaller
    {
        [WorkflowRun]
        public Task<string> RunAsync() =>
            Workflow.CreateNexusWorkflowClient<IEcho>("nowhere").ExecuteNexusOperationAsync(s => s.Say("hello"));
    }
}
