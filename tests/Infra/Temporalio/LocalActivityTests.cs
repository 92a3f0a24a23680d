using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Local activities are markers in the history, and are not run again on replay.</summary>
public sealed class LocalActivityTests
{
    [Fact]
    public async Task Local_activities_run_within_one_task_and_leave_markers()
    {
        var runs = 0;
        var script = HistoryScript.Of<TwoSteps>().RunningLocally(type => $"{type} {++runs}");

        var commands = script.RunTask();

        Assert.Equal([CommandType.RecordMarker, CommandType.RecordMarker, CommandType.CompleteWorkflowExecution], commands.Select(command => command.CommandType));
        Assert.Equal("First 1, Second 2", script.Result<string>());
        await script.ReplayAsync();
        Assert.Equal(2, runs);
    }

    [Fact]
    public async Task Another_order_of_local_activities_is_found()
    {
        var script = HistoryScript.Of<TwoSteps>().RunningLocally(type => type);
        script.RunTask();

        await Assert.ThrowsAsync<WorkflowNondeterminismException>(() => script.ReplayAsync(typeof(OtherOrder)));
    }

    [Workflow]
    public class TwoSteps
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            var options = new LocalActivityOptions { StartToCloseTimeout = TimeSpan.FromSeconds(1) };
            var first = await Workflow.ExecuteLocalActivityAsync((Steps steps) => steps.First(), options);
            var second = await Workflow.ExecuteLocalActivityAsync(() => Steps.SecondAsync(), options);
            return $"{first}, {second}";
        }
    }

    [Workflow]
    public class OtherOrder
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            var options = new LocalActivityOptions { StartToCloseTimeout = TimeSpan.FromSeconds(1) };
            var second = await Workflow.ExecuteLocalActivityAsync(() => Steps.SecondAsync(), options);
            var first = await Workflow.ExecuteLocalActivityAsync((Steps steps) => steps.First(), options);
            return $"{first}, {second}";
        }
    }

    public class Steps
    {
        [Activity]
        public string First() => "first";

        [Activity]
        public static Task<string> SecondAsync() => Task.FromResult("second");
    }
}
