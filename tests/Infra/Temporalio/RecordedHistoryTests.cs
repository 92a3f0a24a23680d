using Temporalio.Common;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>
/// Histories under Histories/Temporalio, recorded on the embedded server: a change of the engine that cannot replay them would strand the workflows
/// that run.
/// </summary>
public sealed class RecordedHistoryTests
{
    public static TheoryData<string, Type> Histories => new()
    {
        { "Basket", typeof(WorkerTests.Basket) },
        { "Fails", typeof(WorkerTests.Fails) },
        { "Locally", typeof(WorkerTests.Locally) },
        { "PatchedTimer", typeof(NondeterminismTests.PatchedTimer) },
        { "Resumes", typeof(WorkerTests.Resumes) },
        { "Rounds", typeof(WorkerTests.Rounds) },
    };

    [Theory]
    [MemberData(nameof(Histories))]
    public async Task A_recorded_history_replays(string name, Type workflow)
    {
        var json = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Histories", "Temporalio", name + ".json"));

        await new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow(workflow)).ReplayWorkflowAsync(WorkflowHistory.FromJson(name, json));
    }

    [Fact]
    public async Task A_workflow_that_has_changed_does_not_replay()
    {
        var json = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Histories", "Temporalio", "Rounds.json"));
        var changed = new WorkflowReplayerOptions().AddWorkflow(WorkflowDefinition.Create(typeof(WorkerTests.Sums), nameof(WorkerTests.Rounds), null));

        var result = await new WorkflowReplayer(changed).ReplayWorkflowAsync(WorkflowHistory.FromJson("Rounds", json), throwOnReplayFailure: false);

        Assert.IsType<global::Temporalio.Exceptions.WorkflowNondeterminismException>(result.ReplayFailure);
    }
}
