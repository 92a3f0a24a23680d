using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Alt.Domain;
using Alt.Infra;
using Alt.Infra.Temporal;
using Alt.Workflows;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;
using Temporalio.Workflows;

namespace Alt.Tests.Workflows;

/// <summary>
/// The histories of a run and of one of its iterations under Histories: a workflow that cannot replay them would strand the runs that are
/// under way.
/// See Histories/README.md.
/// </summary>
public sealed partial class HistoryTests
{
    /// <summary>Set to record the histories again.</summary>
    private const string RecordVariable = "ALT_RECORD_HISTORIES";

    [Theory]
    [InlineData(nameof(AltRunWorkflow))]
    [InlineData(nameof(IterationWorkflow))]
    public async Task A_recorded_history_replays(string workflow) => await ReplayAsync(await ReadAsync(workflow));

    [Fact]
    public async Task A_workflow_that_leaves_its_recorded_path_is_found_out()
    {
        var options = Options().AddWorkflow(WorkflowDefinition.Create(typeof(TrainsFirst), nameof(IterationWorkflow), null));

        var result = await new WorkflowReplayer(options)
            .ReplayWorkflowAsync(await ReadAsync(nameof(IterationWorkflow)), throwOnReplayFailure: false);

        Assert.IsType<WorkflowNondeterminismException>(result.ReplayFailure);
    }

    internal static Task ReplayAsync(WorkflowHistory history) =>
        new WorkflowReplayer(Options().AddWorkflow<AltRunWorkflow>().AddWorkflow<IterationWorkflow>()).ReplayWorkflowAsync(history);

    /// <summary>Writes a history beside the sources, if asked for, without what it reveals of the machine.</summary>
    internal static Task RecordAsync(string workflow, WorkflowHistory history) =>
        Environment.GetEnvironmentVariable(RecordVariable) is null or ""
            ? Task.CompletedTask
            : File.WriteAllTextAsync(
                Repository.PathOf("tests", "Histories", $"{workflow}.json"),
                Place().Replace(Identity().Replace(history.ToJson(), "1@recorder"), "") + "\n");

    private static async Task<WorkflowHistory> ReadAsync(string workflow)
    {
        var json = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Histories", $"{workflow}.json"));
        // The workflows derive names from their own id.
        var id = (string?)JsonNode.Parse(json)!["events"]![0]!["workflowExecutionStartedEventAttributes"]!["workflowId"];
        return WorkflowHistory.FromJson(id!, json);
    }

    private static WorkflowReplayerOptions Options() => new() { DataConverter = AltPayloads.Converter };

    [GeneratedRegex(@"\b\d+@[\w.-]+")]
    private static partial Regex Identity();

    [GeneratedRegex(@" in /[^""\\]*:line \d+")]
    private static partial Regex Place();

    /// <summary>The iteration after a careless change.</summary>
    [Workflow]
    private sealed class TrainsFirst
    {
        [WorkflowRun]
        public Task RunAsync(IterationRef iteration) =>
            Workflow.ExecuteActivityAsync("Train", [iteration], new() { StartToCloseTimeout = TimeSpan.FromHours(1) });
    }
}
