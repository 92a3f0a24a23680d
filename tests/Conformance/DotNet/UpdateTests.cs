using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>Updates by the official .NET client and worker, at each size of the worker's cache that behaves differently.</summary>
public sealed class UpdateTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private static readonly WorkflowUpdateStage Accepted = WorkflowUpdateStage.Accepted;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    public Task Accepted_updates_return_their_results_and_their_failures(int cached) => TillAsync(cached, async (handle, _) =>
    {
        Assert.Equal(1, await handle.ExecuteUpdateAsync(w => w.PutAsync("pear")));
        Assert.Equal("plum: 4", await handle.ExecuteUpdateAsync(w => w.PriceAsync("plum")));
        var failed = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(w => w.FailAsync()));
        var many = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => handle.ExecuteUpdateAsync(w => w.PriceAsync($"{i}"))));
        await handle.SignalAsync(w => w.CloseAsync());

        var cause = Assert.IsType<ApplicationFailureException>(failed.InnerException);
        Assert.Equal(("accepted, then failed", "Late", 2), (cause.Message, cause.ErrorType, cause.Details.ElementAt<int>(0)));
        Assert.Equal(["0: 1", "1: 1", "2: 1", "3: 1", "4: 1"], many);
        Assert.Equal(7, (await handle.GetResultAsync()).Count);
        Assert.Equal(8, (await Histories.TypesAsync<Till>(handle)).Count(t => t == EventType.WorkflowExecutionUpdateCompleted));
    });

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public Task A_rejected_update_leaves_nothing_behind(int cached) => TillAsync(cached, async (handle, _) =>
    {
        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync(w => w.PutAsync("")));
        var unknown = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => handle.ExecuteUpdateAsync("Nothing", []));
        Assert.Equal(1, await handle.ExecuteUpdateAsync(w => w.PutAsync("pear")));
        await handle.SignalAsync(w => w.CloseAsync());

        Assert.Equal("Invalid", Assert.IsType<ApplicationFailureException>(rejected.InnerException).ErrorType);
        Assert.Contains("Nothing", unknown.InnerException!.Message, StringComparison.Ordinal);
        Assert.Equal(["pear"], await handle.GetResultAsync());
        Assert.Single(await Histories.TypesAsync<Till>(handle), EventType.WorkflowExecutionUpdateAccepted);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public Task A_caller_waits_for_the_stage_that_it_names(int cached) => TillAsync(cached, async (handle, _) =>
    {
        var first = await handle.StartUpdateAsync(w => w.QueueAsync("Ada"), new(Accepted) { Id = "ada" });
        var again = await handle.StartUpdateAsync(w => w.QueueAsync("Ada"), new(Accepted) { Id = "ada" });
        var waiting = handle.GetUpdateHandle<string>("ada").GetResultAsync();
        EventType[] types = [.. (await handle.FetchHistoryAsync()).Events.Select(e => e.EventType)];
        Assert.Contains(EventType.WorkflowExecutionUpdateAccepted, types);
        Assert.DoesNotContain(EventType.WorkflowExecutionUpdateCompleted, types);
        await handle.SignalAsync(w => w.OpenAsync());
        var completed = await handle.StartUpdateAsync(w => w.QueueAsync("Bob"), new(WorkflowUpdateStage.Completed));

        foreach (var result in new[] { await first.GetResultAsync(), await again.GetResultAsync(), await waiting })
        {
            Assert.Equal("Ada is served", result);
        }

        Assert.Equal("Bob is served", await completed.GetResultAsync());
        await handle.SignalAsync(w => w.CloseAsync());
        await handle.GetResultAsync();
        // A closed workflow still gives the results of its updates.
        Assert.Equal("Ada is served", await handle.GetUpdateHandle<string>("ada").GetResultAsync());
        var late = await Assert.ThrowsAsync<RpcException>(() => handle.ExecuteUpdateAsync(w => w.PutAsync("late")));
        Assert.Equal((RpcException.StatusCode.NotFound, "workflow execution already completed"), (late.Code, late.Message));
    });

    [Fact]
    public Task The_caller_of_an_update_that_its_workflow_never_finished_is_told_so() => TillAsync(100, async (handle, _) =>
    {
        var update = await handle.StartUpdateAsync(w => w.QueueAsync("Ada"), new(Accepted));
        await handle.SignalAsync(w => w.CloseAsync());
        await handle.GetResultAsync();

        var failed = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() => update.GetResultAsync());
        Assert.Equal("AcceptedUpdateCompletedWorkflow", Assert.IsType<ApplicationFailureException>(failed.InnerException).ErrorType);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    public Task An_update_with_start_starts_its_workflow_once(int cached) => TillAsync(cached, async (other, queue) =>
    {
        var id = $"till-{Guid.NewGuid():N}";
        WithStartWorkflowOperation<WorkflowHandle<Till, List<string>>> Start(WorkflowIdConflictPolicy policy) =>
            WithStartWorkflowOperation.Create((Till w) => w.RunAsync(), new(id, queue) { IdConflictPolicy = policy });
        Task<int> PutAsync(string item, WithStartWorkflowOperation<WorkflowHandle<Till, List<string>>> start) =>
            temporal.Client.ExecuteUpdateWithStartWorkflowAsync((Till w) => w.PutAsync(item), new(start));
        var started = Start(WorkflowIdConflictPolicy.Fail);

        Assert.Equal(1, await PutAsync("pear", started));
        Assert.Equal(2, await PutAsync("plum", Start(WorkflowIdConflictPolicy.UseExisting)));
        var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(
            () => PutAsync("", Start(WorkflowIdConflictPolicy.UseExisting)));
        await Assert.ThrowsAsync<WorkflowAlreadyStartedException>(() => PutAsync("no", Start(WorkflowIdConflictPolicy.Fail)));
        var price = await temporal.Client.StartUpdateWithStartWorkflowAsync(
            (Till w) => w.PriceAsync("fig"), new(Start(WorkflowIdConflictPolicy.UseExisting), Accepted));

        Assert.Equal("Invalid", Assert.IsType<ApplicationFailureException>(rejected.InnerException).ErrorType);
        Assert.Equal("fig: 3", await price.GetResultAsync());
        var handle = await started.GetHandleAsync();
        await handle.SignalAsync(w => w.CloseAsync());
        Assert.Equal(["pear", "plum", "fig: 3"], await handle.GetResultAsync());
        await Histories.CheckedAsync<Till>(handle);
    });

    private Task TillAsync(int cached, Func<WorkflowHandle<Till, List<string>>, string, Task> play) => temporal.RunWorkerAsync(
        options =>
        {
            options.MaxCachedWorkflows = cached;
            options.AddWorkflow<Till>().AddActivity(Till.Price);
        },
        async queue =>
        {
            var handle = await temporal.Client.StartWorkflowAsync((Till w) => w.RunAsync(), TemporalFixture.NewWorkflow(queue));
            await play(handle, queue);
        });
}
