using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Code that changed while its workflows run.</summary>
public sealed class NondeterminismTests
{
    [Fact]
    public async Task Another_command_in_the_place_of_a_recorded_one_is_found()
    {
        var script = OneTimer();

        var error = await Assert.ThrowsAsync<WorkflowNondeterminismException>(() => script.ReplayAsync(typeof(ActivityInstead)));

        Assert.Contains("TMPRL1100", error.Message, StringComparison.Ordinal);
        Assert.Contains("TimerStarted", error.Message, StringComparison.Ordinal);
        Assert.Contains("activity Other", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_too_many_is_found() =>
        await Assert.ThrowsAsync<WorkflowNondeterminismException>(() => OneTimer().ReplayAsync(typeof(TwoTimersAtOnce)));

    [Fact]
    public async Task A_command_too_few_is_found() =>
        await Assert.ThrowsAsync<WorkflowNondeterminismException>(() => OneTimer().ReplayAsync(typeof(NoTimer)));

    [Fact]
    public async Task A_patched_change_replays_old_histories_and_new_ones()
    {
        await OneTimer().ReplayAsync(typeof(PatchedTimer));

        var patched = HistoryScript.Of<PatchedTimer>();
        patched.RunTask();
        patched.FireTimer("1");
        patched.FireTimer("2");
        patched.RunTask();
        await patched.ReplayAsync();
        await Assert.ThrowsAsync<WorkflowNondeterminismException>(() => patched.ReplayAsync(typeof(OneTimerWorkflow)));
    }

    [Fact]
    public async Task A_deprecated_patch_replays_histories_with_and_without_its_marker()
    {
        var patched = HistoryScript.Of<PatchedTimer>();
        patched.RunTask();
        await patched.ReplayAsync(typeof(DeprecatedPatch));

        var deprecated = HistoryScript.Of<DeprecatedPatch>();
        deprecated.RunTask();
        await deprecated.ReplayAsync(typeof(TwoTimersAtOnce));
    }

    private static HistoryScript OneTimer()
    {
        var script = HistoryScript.Of<OneTimerWorkflow>();
        script.RunTask();
        script.FireTimer("1");
        script.RunTask();
        return script;
    }

    [Workflow]
    public class OneTimerWorkflow
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.DelayAsync(1000);
    }

    [Workflow]
    public class ActivityInstead
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.ExecuteActivityAsync("Other", [], new() { StartToCloseTimeout = TimeSpan.FromSeconds(1) });
    }

    [Workflow]
    public class TwoTimersAtOnce
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.WhenAllAsync(Workflow.DelayAsync(1000), Workflow.DelayAsync(2000));
    }

    [Workflow]
    public class NoTimer
    {
        [WorkflowRun]
        public Task RunAsync() => Task.CompletedTask;
    }

    [Workflow]
    public class PatchedTimer
    {
        [WorkflowRun]
        public Task RunAsync() => Workflow.Patched("two-timers")
            ? Workflow.WhenAllAsync(Workflow.DelayAsync(1000), Workflow.DelayAsync(2000))
            : Workflow.DelayAsync(1000);
    }

    [Workflow]
    public class DeprecatedPatch
    {
        [WorkflowRun]
        public Task RunAsync()
        {
            Workflow.DeprecatePatch("two-timers");
            return Workflow.WhenAllAsync(Workflow.DelayAsync(1000), Workflow.DelayAsync(2000));
        }
    }
}
