using Google.Protobuf;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;

namespace Temporalio.Worker;

/// <summary>
/// Runs workflow code over recorded histories, without a server: finds out whether changed code can still take over the workflows that are
/// running.
/// </summary>
public class WorkflowReplayer
{
    private readonly WorkflowRegistry registry;

    /// <summary>Creates a replayer.</summary>
    /// <exception cref="ArgumentException">No workflow is registered, or a name twice.</exception>
    public WorkflowReplayer(WorkflowReplayerOptions options)
    {
        Options = (WorkflowReplayerOptions)options.Clone();
        if (Options.Workflows.Count == 0)
        {
            throw new ArgumentException("Must have at least one workflow", nameof(options));
        }
        registry = new WorkflowRegistry(Options.Workflows);
    }

    /// <summary>The options, as they were when the replayer was created.</summary>
    public WorkflowReplayerOptions Options { get; }

    /// <summary>Replays a history.</summary>
    /// <param name="history">The history.</param>
    /// <param name="throwOnReplayFailure">Whether to throw where the replay fails rather than to return the failure. Default true.</param>
    /// <exception cref="WorkflowNondeterminismException">The code does something else than the history says.</exception>
    /// <exception cref="InvalidWorkflowOperationException">The code fails the workflow task.</exception>
    public async Task<WorkflowReplayResult> ReplayWorkflowAsync(WorkflowHistory history, bool throwOnReplayFailure = true)
    {
        try
        {
            await ReplayAsync(history);
            return new(history, null);
        }
        catch (Exception e) when (!throwOnReplayFailure)
        {
            return new(history, e as TemporalException ?? new InvalidWorkflowOperationException(e.Message, null, e));
        }
        catch (Exception e) when (e is not TemporalException)
        {
            throw new InvalidWorkflowOperationException($"Replay of workflow {history.Id} failed: {e.Message}", null, e);
        }
    }

    /// <summary>Replays histories one after the other.</summary>
    /// <param name="histories">The histories.</param>
    /// <param name="throwOnReplayFailure">Whether to throw where a replay fails rather than to return the failure. Default true.</param>
    /// <inheritdoc cref="ReplayWorkflowAsync"/>
    public async Task<IEnumerable<WorkflowReplayResult>> ReplayWorkflowsAsync(IEnumerable<WorkflowHistory> histories, bool throwOnReplayFailure = true)
    {
        var results = new List<WorkflowReplayResult>();
        foreach (var history in histories)
        {
            results.Add(await ReplayWorkflowAsync(history, throwOnReplayFailure));
        }
        return results;
    }

    private async Task ReplayAsync(WorkflowHistory history)
    {
        // The codec changes messages in place.
        var copy = new History { Events = { history.Events.Select(evt => evt.Clone()) } };
        await PayloadVisitor.DecodeAsync(copy, Options.DataConverter.PayloadCodec);
        if (copy.Events is not [{ WorkflowExecutionStartedEventAttributes: { } start } first, ..])
        {
            throw new ArgumentException($"History of workflow {history.Id} does not begin with its start");
        }
        var chunks = HistoryChunk.Split(copy.Events);
        var instance = new WorkflowInstance(
            new(
                registry.Find(start.WorkflowType.Name),
                Options.Namespace,
                history.Id,
                // What the server would name the run; the seed of its random numbers comes from the history.
                start.OriginalExecutionRunId,
                Options.DataConverter,
                Options.LoggerFactory,
                Options.WorkflowFailureExceptionTypes ?? []),
            first,
            (chunks.FirstOrDefault(chunk => chunk.Started is not null)?.Started ?? first).EventTime.ToDateTime());
        await Task.Run(() => Replay(instance, chunks));
    }

    private static void Replay(WorkflowInstance instance, IReadOnlyList<HistoryChunk> chunks)
    {
        for (var i = 0; i < chunks.Count; i++)
        {
            if (chunks[i].Started is not null)
            {
                instance.Activate(WorkflowActivation.Replay(chunks[i], i + 1 < chunks.Count ? chunks[i + 1] : null));
                instance.TakeCommands();
                instance.TakeMessages();
            }
            else if (chunks[i].Events.Any(evt => evt.EventType == EventType.WorkflowTaskCompleted))
            {
                instance.MatchCommands(chunks[i].Events);
            }
        }
    }
}
