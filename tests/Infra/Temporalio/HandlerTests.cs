using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Signals and updates.</summary>
public sealed class HandlerTests
{
    [Fact]
    public async Task Signals_that_come_before_the_start_are_handled_first()
    {
        var script = HistoryScript.Of<Collector>("start");
        script.Signal("Add", "early");
        script.RunTask();
        script.Signal("Add", "late");
        script.Signal("Finish");
        script.RunTask();

        Assert.Equal(["early", "start", "late"], script.Result<string[]>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task Signals_without_a_handler_wait_for_one()
    {
        var script = HistoryScript.Of<LateHandler>();
        script.Signal("Anything", "kept");
        script.RunTask();
        script.FireTimer("1");
        script.RunTask();

        Assert.Equal("Anything: kept", script.Result<string>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task An_update_is_accepted_and_answers()
    {
        var script = HistoryScript.Of<Collector>("start");
        script.RunTask();

        script.Update("u1", "Rename", "new name");
        script.RunTask();

        var completed = script.Last.WorkflowExecutionUpdateCompletedEventAttributes;
        Assert.Equal("\"was start\"", completed.Outcome.Success.Payloads_[0].Data.ToStringUtf8());
        script.Signal("Finish");
        script.RunTask();
        Assert.Equal(["new name"], script.Result<string[]>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task An_update_may_wait_and_the_run_may_wait_for_it()
    {
        var script = HistoryScript.Of<Collector>("start");
        script.RunTask();
        script.Update("u1", "RenameSlowly", "slow name");
        script.Signal("Finish");
        script.RunTask();
        Assert.DoesNotContain(script.History.Events, evt => evt.WorkflowExecutionCompletedEventAttributes is not null);

        script.FireTimer("1");
        script.RunTask();

        Assert.Equal(["slow name"], script.Result<string[]>());
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_rejected_update_leaves_nothing_behind()
    {
        var script = HistoryScript.Of<Collector>("start");
        script.RunTask();

        script.Update("u1", "Rename", "");
        Assert.Empty(script.RunTask());
        script.Update("u2", "NoSuchUpdate");
        Assert.Empty(script.RunTask());

        Assert.Null(script.Last.WorkflowExecutionUpdateAcceptedEventAttributes);
        await script.ReplayAsync();
    }

    [Fact]
    public async Task A_failed_update_does_not_fail_the_workflow()
    {
        var script = HistoryScript.Of<Collector>("start");
        script.RunTask();

        script.Update("u1", "Rename", "fail");
        script.RunTask();

        Assert.Equal("no such name", script.Last.WorkflowExecutionUpdateCompletedEventAttributes.Outcome.Failure.Message);
        await script.ReplayAsync();
    }

    [Workflow]
    public class Collector
    {
        private readonly List<string> words = [];
        private bool finished;

        [WorkflowRun]
        public async Task<string[]> RunAsync(string first)
        {
            words.Add(first);
            await Workflow.WaitConditionAsync(() => finished && Workflow.AllHandlersFinished);
            return words.ToArray();
        }

        [WorkflowSignal]
        public async Task AddAsync(string word)
        {
            await Task.CompletedTask;
            words.Add(word);
        }

        [WorkflowSignal]
        public async Task FinishAsync()
        {
            await Task.CompletedTask;
            finished = true;
        }

        [WorkflowUpdate]
        public async Task<string> RenameAsync(string name)
        {
            await Task.CompletedTask;
            if (name == "fail")
            {
                throw new ApplicationFailureException("no such name");
            }
            var old = words[0];
            words[0] = name;
            return $"was {old}";
        }

        [WorkflowUpdateValidator(nameof(RenameAsync))]
        public void ValidateRename(string name)
        {
            if (name.Length == 0)
            {
                throw new ArgumentException("name is empty");
            }
        }

        [WorkflowUpdate]
        public async Task RenameSlowlyAsync(string name)
        {
            await Workflow.DelayAsync(1000);
            words[0] = name;
        }
    }

    [Workflow]
    public class LateHandler
    {
        private string? seen;

        [WorkflowRun]
        public async Task<string> RunAsync()
        {
            await Workflow.DelayAsync(1000);
            Workflow.DynamicSignal = WorkflowSignalDefinition.CreateWithoutAttribute(null, (string name, IRawValue[] args) =>
            {
                seen = $"{name}: {Workflow.PayloadConverter.ToValue<string>(args[0])}";
                return Task.CompletedTask;
            });
            await Workflow.WaitConditionAsync(() => seen is not null);
            return seen!;
        }
    }
}
