using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Client;
using Temporalio.Worker;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>What every history that the server wrote must stand: its own invariants, and the official replayer.</summary>
internal static class Histories
{
    /// <summary>The events of a workflow, checked.</summary>
    public static async Task<IReadOnlyList<HistoryEvent>> CheckedAsync<TWorkflow>(WorkflowHandle handle)
    {
        var history = await handle.FetchHistoryAsync();
        HistoryInvariants.Check([.. history.Events]);
        await new WorkflowReplayer(new WorkflowReplayerOptions().AddWorkflow<TWorkflow>()).ReplayWorkflowAsync(history);
        return [.. history.Events];
    }

    /// <summary>The kinds of a workflow's events, after the same checks.</summary>
    public static async Task<IReadOnlyList<EventType>> TypesAsync<TWorkflow>(WorkflowHandle handle) =>
        [.. (await CheckedAsync<TWorkflow>(handle)).Select(e => e.EventType)];

    /// <summary>What the server tells of a workflow's open activities; the client's own description leaves it out.</summary>
    public static async Task<IReadOnlyList<PendingActivityInfo>> PendingActivitiesAsync(WorkflowHandle handle) =>
        (await handle.Client.Connection.WorkflowService.DescribeWorkflowExecutionAsync(
            new() { Namespace = "default", Execution = new() { WorkflowId = handle.Id } })).PendingActivities;
}
