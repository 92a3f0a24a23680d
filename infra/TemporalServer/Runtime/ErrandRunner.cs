using System.Threading.Channels;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Runtime;

/// <summary>
/// Does what runs must do to other runs: each errand first changes the other run, then records in the first that it is
/// done. A crash between the two repeats the first half, which the other run recognises.
/// </summary>
internal sealed partial class ErrandRunner(Executions executions, Starter starter, ILogger logger)
{
    private const int Workers = 4;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Channel<RunAddress> _waiting = Channel.CreateUnbounded<RunAddress>();

    public void Post(RunAddress run) => _waiting.Writer.TryWrite(run);

    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(stopping)));

    private async Task WorkAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (var address in _waiting.Reader.ReadAllAsync(stopping))
            {
                await RunAllAsync(address, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The server is stopping; the remaining errands are stored, and the next start continues them.
        }
    }

    private async Task RunAllAsync(RunAddress address, CancellationToken stopping)
    {
        try
        {
            var errands = await executions.UpdateAsync(address, run => run.Errands().ToArray());
            foreach (var errand in errands)
            {
                await RunAsync(address, errand);
            }
        }
        catch (RpcError e) when (e.StatusCode == StatusCode.NotFound)
        {
            // The run was deleted meanwhile.
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFailed(logger, address.WorkflowId, e.Message);
            _ = RepostAsync(address, stopping);
        }
    }

    private async Task RepostAsync(RunAddress address, CancellationToken stopping)
    {
        await Task.Delay(RetryDelay, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Post(address);
    }

    private Task RunAsync(RunAddress address, Errand errand) => errand switch
    {
        Errand.StartChild e => StartChildAsync(address, e.InitiatedEventId),
        Errand.Signal e => SignalAsync(address, e.InitiatedEventId),
        Errand.Cancel e => CancelAsync(address, e.InitiatedEventId),
        Errand.InformParent => InformParentAsync(address),
        Errand.EndChild e => EndChildAsync(address, e.InitiatedEventId),
        Errand.Delete => executions.DeleteAsync(address),
        _ => throw new InvalidOperationException($"Unknown errand {errand}."),
    };

    private async Task StartChildAsync(RunAddress address, long initiatedEventId)
    {
        (RunStart Start, WorkflowIdReusePolicy Reuse, WorkflowIdConflictPolicy Conflict, ParentClosePolicy Close)? child =
            await executions.UpdateAsync(
                address,
                run => run.State.Children.TryGetValue(initiatedEventId, out var c) && c.RunId.Length == 0
                    ? (run.ChildStart(c), run.ChildReusePolicy(c), run.ChildConflictPolicy(c), c.ClosePolicy)
                    : ((RunStart, WorkflowIdReusePolicy, WorkflowIdConflictPolicy, ParentClosePolicy)?)null);
        if (child is not { } wanted)
        {
            return;
        }

        string runId;
        try
        {
            runId = (await starter.StartAsync(wanted.Start, wanted.Reuse, wanted.Conflict)).RunId;
        }
        catch (RpcError e) when (e.StatusCode == StatusCode.AlreadyExists)
        {
            await executions.UpdateAsync(
                address, run => run.RecordChildNotStarted(initiatedEventId, StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists));
            return;
        }

        var orphan = await executions.UpdateAsync(address, run =>
        {
            var unknown = !run.IsRunning && !run.State.Children.ContainsKey(initiatedEventId);
            run.RecordChildStarted(initiatedEventId, runId);
            return unknown;
        });
        if (orphan && wanted.Close != ParentClosePolicy.Abandon)
        {
            await EndAsync(
                new RunAddress(address.Namespace, wanted.Start.Attributes.WorkflowId, runId), wanted.Close, address, [address.RunId]);
        }
    }

    private async Task SignalAsync(RunAddress address, long initiatedEventId)
    {
        (SignalExternalWorkflowExecutionInitiatedEventAttributes Initiated, ExternalSignal Signal, string[] Parents)? pending =
            await executions.UpdateAsync(
                address,
                run => run.State.ExternalSignals.TryGetValue(initiatedEventId, out var s)
                    ? (run.History[(int)initiatedEventId - 1].SignalExternalWorkflowExecutionInitiatedEventAttributes, s, run.OwnRunIds())
                    : ((SignalExternalWorkflowExecutionInitiatedEventAttributes, ExternalSignal, string[])?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        var found = await FoundAsync(() => executions.UpdateAsync(
            Target(address, wanted.Initiated.WorkflowExecution),
            run =>
            {
                EnsureChildOf(run, wanted.Parents, wanted.Initiated.ChildWorkflowOnly);
                run.Signal(new WorkflowExecutionSignaledEventAttributes
                {
                    SignalName = wanted.Initiated.SignalName,
                    Input = wanted.Initiated.Input,
                    Header = wanted.Initiated.Header,
                    Identity = WorkflowRun.ServerIdentity,
                    ExternalWorkflowExecution = ExecutionOf(address),
                    RequestId = wanted.Signal.RequestId,
                });
            }));
        await executions.UpdateAsync(address, run => run.RecordSignalSent(initiatedEventId, found));
    }

    private async Task CancelAsync(RunAddress address, long initiatedEventId)
    {
        (RequestCancelExternalWorkflowExecutionInitiatedEventAttributes Initiated, ExternalCancel Cancel, string[] Parents)? pending =
            await executions.UpdateAsync(
                address,
                run => run.State.ExternalCancels.TryGetValue(initiatedEventId, out var c)
                    ? (
                        run.History[(int)initiatedEventId - 1].RequestCancelExternalWorkflowExecutionInitiatedEventAttributes, c,
                        run.OwnRunIds())
                    : ((RequestCancelExternalWorkflowExecutionInitiatedEventAttributes, ExternalCancel, string[])?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        var found = await FoundAsync(() => executions.UpdateAsync(
            Target(address, wanted.Initiated.WorkflowExecution),
            run =>
            {
                EnsureChildOf(run, wanted.Parents, wanted.Initiated.ChildWorkflowOnly);
                run.RequestCancel(
                    wanted.Initiated.Reason, WorkflowRun.ServerIdentity, wanted.Cancel.RequestId, ExecutionOf(address), initiatedEventId);
            }));
        await executions.UpdateAsync(address, run => run.RecordCancelSent(initiatedEventId, found));
    }

    private async Task InformParentAsync(RunAddress address)
    {
        (Parent Parent, HistoryEvent Close)? pending = await executions.UpdateAsync(
            address, run =>
                run is { CloseEvent: { } close, State.ParentUnaware: true } ? (run.State.Parent, close) : ((Parent, HistoryEvent)?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        // A parent that was reset continues in another run, which may itself have been reset.
        var runId = wanted.Parent.RunId;
        while (runId.Length > 0)
        {
            var parent = new RunAddress(wanted.Parent.Namespace, wanted.Parent.WorkflowId, runId);
            runId = "";
            await FoundAsync(() => executions.UpdateAsync(parent, run =>
            {
                run.RecordChildClosed(wanted.Parent.InitiatedEventId, ExecutionOf(address), wanted.Close);
                runId = run.State.ResetRunId;
            }));
        }

        await executions.UpdateAsync(address, run => run.RecordParentInformed());
    }

    private async Task EndChildAsync(RunAddress address, long initiatedEventId)
    {
        (string WorkflowId, ParentClosePolicy Policy, string[] Parents)? child = await executions.UpdateAsync(
            address,
            run => run.State.Children.TryGetValue(initiatedEventId, out var c)
                ? (c.WorkflowId, c.ClosePolicy, run.OwnRunIds())
                : ((string, ParentClosePolicy, string[])?)null);
        if (child is not { } wanted)
        {
            return;
        }

        // Not by run id: the child may have continued as new.
        await EndAsync(new RunAddress(address.Namespace, wanted.WorkflowId), wanted.Policy, address, wanted.Parents);
        await executions.UpdateAsync(address, run => run.ForgetChild(initiatedEventId));
    }

    private Task EndAsync(RunAddress child, ParentClosePolicy policy, RunAddress parent, string[] parents) => FoundAsync(() =>
        executions.UpdateAsync(child, run =>
        {
            EnsureChildOf(run, parents, childOnly: true);
            if (policy == ParentClosePolicy.RequestCancel)
            {
                run.RequestCancel("by parent close policy", WorkflowRun.ServerIdentity, $"{parent.RunId}:close", ExecutionOf(parent));
            }
            else
            {
                run.Terminate("by parent close policy", null, WorkflowRun.ServerIdentity);
            }
        }));

    private static async Task<bool> FoundAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (RpcError e) when (e.StatusCode == StatusCode.NotFound)
        {
            return false;
        }
    }

    private static void EnsureChildOf(WorkflowRun run, string[] parents, bool childOnly)
    {
        if (childOnly && !parents.Contains(run.State.Parent?.RunId))
        {
            throw RpcError.NotFound("The workflow is not a child of the caller.");
        }
    }

    private static RunAddress Target(RunAddress source, WorkflowExecution execution) =>
        new(source.Namespace, execution.WorkflowId, execution.RunId);

    private static WorkflowExecution ExecutionOf(RunAddress address) => new() { WorkflowId = address.WorkflowId, RunId = address.RunId };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workflow {WorkflowId} could not reach another workflow, trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, string workflowId, string reason);
}
