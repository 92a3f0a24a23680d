using Microsoft.Extensions.Logging;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Worker;

namespace Temporalio.Workflows;

/// <summary>
/// What workflow code may use of the world. Everything here is deterministic; clocks, timers, randomness and threads of .NET are not.
/// </summary>
public static partial class Workflow
{
    /// <summary>Whether no signal or update handler is running.</summary>
    public static bool AllHandlersFinished => Context.AllHandlersFinished;

    /// <summary>Cancelled when the workflow is asked to cancel.</summary>
    public static CancellationToken CancellationToken => Context.CancellationToken;

    /// <summary>Whether the server holds that the history has grown long enough.</summary>
    public static bool ContinueAsNewSuggested => Context.ContinueAsNewSuggested;

    /// <summary>Number of events in the history up to the current workflow task.</summary>
    public static int CurrentHistoryLength => Context.CurrentHistoryLength;

    /// <summary>Size of the history up to the current workflow task, in bytes.</summary>
    public static int CurrentHistorySize => Context.CurrentHistorySize;

    /// <summary>The update whose handler runs; null outside of one.</summary>
    public static WorkflowUpdateInfo? CurrentUpdateInfo => Context.CurrentUpdateInfo;

    /// <summary>Text that tools show as the workflow's current details.</summary>
    public static string CurrentDetails
    {
        get => Context.CurrentDetails;
        set => Context.CurrentDetails = value;
    }

    /// <summary>Handler of the queries for which there is no other.</summary>
    public static WorkflowQueryDefinition? DynamicQuery
    {
        get => Context.DynamicQuery;
        set => Context.DynamicQuery = value;
    }

    /// <summary>Handler of the signals for which there is no other. Setting it hands it the signals that have waited.</summary>
    public static WorkflowSignalDefinition? DynamicSignal
    {
        get => Context.DynamicSignal;
        set => Context.DynamicSignal = value;
    }

    /// <summary>Handler of the updates for which there is no other.</summary>
    public static WorkflowUpdateDefinition? DynamicUpdate
    {
        get => Context.DynamicUpdate;
        set => Context.DynamicUpdate = value;
    }

    /// <summary>What is known about the workflow from its start on.</summary>
    public static WorkflowInfo Info => Context.Info;

    /// <summary>The workflow object.</summary>
    public static object Instance => Context.Instance;

    /// <summary>Whether the current code runs in a workflow.</summary>
    public static bool InWorkflow => CurrentContext is not null;

    /// <summary>Logger that is silent during replay.</summary>
    public static ILogger Logger => Context.Logger;

    /// <summary>The workflow's memo.</summary>
    public static IReadOnlyDictionary<string, IRawValue> Memo => Context.Memo;

    /// <summary>The worker's payload converter.</summary>
    public static IPayloadConverter PayloadConverter => Context.PayloadConverter;

    /// <summary>Query handlers by name; may be changed.</summary>
    public static IDictionary<string, WorkflowQueryDefinition> Queries => Context.Queries;

    /// <summary>Signal handlers by name; may be changed.</summary>
    public static IDictionary<string, WorkflowSignalDefinition> Signals => Context.Signals;

    /// <summary>Update handlers by name; may be changed.</summary>
    public static IDictionary<string, WorkflowUpdateDefinition> Updates => Context.Updates;

    /// <summary>Generator that gives the same numbers on replay.</summary>
    public static Random Random => Context.Random;

    /// <summary>The workflow's search attributes.</summary>
    public static SearchAttributeCollection TypedSearchAttributes => Context.TypedSearchAttributes;

    /// <summary>Time of the current workflow task's start.</summary>
    public static DateTime UtcNow => Context.UtcNow;

    /// <summary>Set while code runs for a workflow outside of its scheduler, as conditions do.</summary>
    internal static AsyncLocal<WorkflowInstance?> OverrideContext { get; } = new();

    private static WorkflowInstance? CurrentContext => TaskScheduler.Current as WorkflowInstance ?? OverrideContext.Value;

    private static WorkflowInstance Context => CurrentContext ?? throw new InvalidOperationException("Not in workflow");

    /// <summary>A unique ID that is the same on replay.</summary>
    public static Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.NextBytes(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40); // version 4
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80); // RFC 4122 variant
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>
    /// Whether to take the new path of a change: true in workflows that reach this line for the first time with this code, false in the replay
    /// of those that passed it before.
    /// </summary>
    public static bool Patched(string patchId) => Context.Patch(patchId, deprecated: false);

    /// <summary>Takes the place of <see cref="Patched"/> once no workflow is left on the old path.</summary>
    public static void DeprecatePatch(string patchId) => Context.Patch(patchId, deprecated: true);

    /// <summary>Changes the workflow's memo.</summary>
    /// <exception cref="ArgumentException">No update, two for one key, or a value that cannot be converted.</exception>
    public static void UpsertMemo(params MemoUpdate[] updates) => Context.UpsertMemo(updates);

    /// <summary>Changes the workflow's search attributes.</summary>
    /// <exception cref="ArgumentException">No update.</exception>
    public static void UpsertTypedSearchAttributes(params SearchAttributeUpdate[] updates) => Context.UpsertTypedSearchAttributes(updates);

    /// <summary>What workflow code had better not use.</summary>
    public static class Unsafe
    {
        /// <summary>Whether the code runs again over what happened before. Never decide anything by it.</summary>
        public static bool IsReplaying => Context.IsReplaying;
    }
}
