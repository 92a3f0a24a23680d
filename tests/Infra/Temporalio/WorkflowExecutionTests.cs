using Temporalio.Activities;
using Temporalio.Api.Enums.V1;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>What workflow code does with what happens, against histories that the tests write.</summary>
public sealed class WorkflowExecutionTests
{
    [Fact]
    public async Task An_activity_s_result_reaches_the_workflow_and_the_workflow_s_the_history()
    {
        var script = HistoryScript.Of<Greeting>("Ada");

        var schedule = Assert.Single(script.RunTask()).ScheduleActivityTaskCommandAttributes;
        Assert.Equal(("Greet", "queue", "1"), (schedule.ActivityType.Name, schedule.TaskQueue.Name, schedule.ActivityId));
        script.CompleteActivity("1", "Hello, Ada");
        script.RunTask();

        Assert.Equal("Hello, Ada!", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_failed_activity_fails_the_workflow_with_the_whole_chain_of_causes()
    {
        var script = HistoryScript.Of<Greeting>("Ada");
        script.RunTask();

        script.FailActivity("1", new ApplicationFailureException("outer", new InvalidOperationException("root"), errorType: "Kind", details: [42]));
        script.RunTask();

        var failure = script.Last.WorkflowExecutionFailedEventAttributes.Failure;
        Assert.Equal("Greet", failure.ActivityFailureInfo.ActivityType.Name);
        Assert.Equal("Kind", failure.Cause.ApplicationFailureInfo.Type);
        Assert.Equal("root", failure.Cause.Cause.Message);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Timers_fire_in_any_order_and_time_is_the_task_s()
    {
        var script = HistoryScript.Of<TwoTimers>();
        Assert.Equal(2, script.RunTask().Count);

        script.FireTimer("2");
        Assert.Empty(script.RunTask(seconds: 5));
        script.FireTimer("1");
        script.RunTask(seconds: 5);

        Assert.Equal("second 5, first 10", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_timer_that_is_not_needed_any_more_is_cancelled()
    {
        var script = HistoryScript.Of<WaitForSignal>();
        Assert.Equal(CommandType.StartTimer, Assert.Single(script.RunTask()).CommandType);

        script.Signal("Go", "now");
        var commands = script.RunTask();

        Assert.Equal([CommandType.CancelTimer, CommandType.CompleteWorkflowExecution], commands.Select(command => command.CommandType));
        Assert.Equal("now", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_timer_that_is_started_and_cancelled_in_one_task_leaves_no_trace()
    {
        var script = HistoryScript.Of<WaitForSignal>();
        script.Signal("Go", "at once");

        Assert.Equal(CommandType.CompleteWorkflowExecution, Assert.Single(script.RunTask()).CommandType);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_condition_that_is_not_met_in_time_says_so()
    {
        var script = HistoryScript.Of<WaitForSignal>();
        script.RunTask();

        script.FireTimer("1");
        script.RunTask();

        Assert.Equal("nothing came", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Queries_see_the_state_and_cannot_issue_commands()
    {
        var script = HistoryScript.Of<WaitForSignal>();
        script.RunTask();

        Assert.Equal("waiting", script.Query<string>("State"));
        Assert.Equal(7, script.Query<int>("Add", 3, 4));
        Assert.Contains("must not issue commands", Assert.Throws<WorkflowQueryFailedException>(() => script.Query<string>("Misbehave")).Message, StringComparison.Ordinal);
        Assert.Contains("known queries: [Add Misbehave State]", Assert.Throws<WorkflowQueryFailedException>(() => script.Query<string>("Unknown")).Message, StringComparison.Ordinal);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_child_s_result_reaches_its_parent()
    {
        var script = HistoryScript.Of<Parent>();
        script.RunTask();

        script.StartChild("child-1");
        Assert.Empty(script.RunTask());
        script.CompleteChild("child-1", "grown up");
        script.RunTask();

        Assert.Equal("grown up", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_child_s_failure_reaches_its_parent()
    {
        var script = HistoryScript.Of<Parent>();
        script.RunTask();

        script.StartChild("child-1");
        script.FailChild("child-1", new() { Message = "lost", ApplicationFailureInfo = new() { Type = "Lost" } });
        script.RunTask();

        var failure = script.Last.WorkflowExecutionFailedEventAttributes.Failure;
        Assert.Equal("child-1", failure.ChildWorkflowExecutionFailureInfo.WorkflowExecution.WorkflowId);
        Assert.Equal("Lost", failure.Cause.ApplicationFailureInfo.Type);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_workflow_continues_as_new_with_new_arguments()
    {
        var script = HistoryScript.Of<Countdown>(3);

        var next = Assert.Single(script.RunTask()).ContinueAsNewWorkflowExecutionCommandAttributes;

        Assert.Equal("Countdown", next.WorkflowType.Name);
        Assert.Equal("2", next.Input.Payloads_[0].Data.ToStringUtf8());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Random_numbers_and_ids_are_the_same_on_replay()
    {
        var script = HistoryScript.Of<Dice>();
        script.RunTask();
        script.FireTimer("1");
        script.RunTask();

        // The replay would issue a child of another ID otherwise.
        Assert.Contains("child", script.Result<string>(), StringComparison.Ordinal);
        await script.ReplayAsync();
    }

    [Fact]
    public void An_exception_that_is_no_failure_fails_the_task_only()
    {
        var script = HistoryScript.Of<Bug>();

        Assert.Equal("bug", Assert.Throws<InvalidOperationException>(() => script.RunTask()).Message);
    }

    [Workflow]
    public class Greeting
    {
        [WorkflowRun]
        public async Task<string> RunAsync(string name) =>
            await Workflow.ExecuteActivityAsync((Activities act) => act.GreetAsync(name), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) }) + "!";
    }

    public class Activities
    {
        [Activity]
        public Task<string> GreetAsync(string name) => Task.FromResult($"Hello, {name}");
    }

    [Workflow]
    public class TwoTimers
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            var began = Workflow.UtcNow;
            var log = new List<string>();
            async Task WaitAsync(string name, int seconds)
            {
                await Workflow.DelayAsync(TimeSpan.FromSeconds(seconds));
                log.Add($"{name} {(Workflow.UtcNow - began).TotalSeconds}");
            }

            await Workflow.WhenAllAsync(WaitAsync("first", 10), WaitAsync("second", 5));
            return string.Join(", ", log);
        }
    }

    [Workflow]
    public class WaitForSignal
    {
        private string? word;

        [WorkflowQuery]
        public string State => word is null ? "waiting" : "done";

        [WorkflowRun]
        public async Task<string> RunAsync() =>
            await Workflow.WaitConditionAsync(() => word is not null, TimeSpan.FromMinutes(1)) ? word! : "nothing came";

        [WorkflowSignal]
        public async Task GoAsync(string value)
        {
            await Task.CompletedTask;
            word = value;
        }

        [WorkflowQuery]
        public int Add(int a, int b) => a + b;

        [WorkflowQuery]
        public string Misbehave()
        {
            _ = Workflow.DelayAsync(1);
            return "";
        }
    }

    [Workflow]
    public class Parent
    {
        [WorkflowRun]
        public Task<string> RunAsync() => Workflow.ExecuteChildWorkflowAsync((Greeting wf) => wf.RunAsync("child"), new() { Id = "child-1" });
    }

    [Workflow]
    public class Countdown
    {
        [WorkflowRun]
        public Task RunAsync(int left) => left == 0
            ? Task.CompletedTask
            : throw Workflow.CreateContinueAsNewException((Countdown wf) => wf.RunAsync(left - 1));
    }

    [Workflow]
    public class Dice
    {
        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.DelayAsync(TimeSpan.FromSeconds(Workflow.Random.Next(1, 100)));
            var child = Workflow.StartChildWorkflowAsync((Greeting wf) => wf.RunAsync("x"), new() { Id = $"child-{Workflow.NewGuid()}-{Workflow.Random.NextInt64()}" });
            return $"child {child.IsCompleted}";
        }
    }

    [Workflow]
    public class Bug
    {
        [WorkflowRun]
        public Task RunAsync() => throw new InvalidOperationException("bug");
    }
}
