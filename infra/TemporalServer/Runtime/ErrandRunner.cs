using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using TemporalServer.Engine;
using TemporalServer.Engine.State;

namespace TemporalServer.Runtime;

/// <summary>
/// Does what runs have to do to other runs: each errand first changes the other run, then records in the first that it is
/// done. A crash between the two repeats the first half, which the other run recognises.
/// </summary>
internal sealed partial class ErrandRunner(Executions executions, Starter starter, ILogger logger)
{
    private const int Workers = 4;
    private const string Identity = "history-service";
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);

    private readonly Channel<RunAddress> waiting = Channel.CreateUnbounded<RunAddress>();

    public void Post(RunAddress run) => waiting.Writer.TryWrite(run);

    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => WorkAsync(stopping)));

    private async Task WorkAsync(CancellationToken stopping)
    {
        try
        {
            await foreach (RunAddress address in waiting.Reader.ReadAllAsync(stopping))
            {
                await RunAllAsync(address, stopping);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The server ends; what is left is stored and goes on with the next start.
        }
    }

    private async Task RunAllAsync(RunAddress address, CancellationToken stopping)
    {
        try
        {
            Errand[] errands = await executions.UpdateAsync(address, run => run.Errands().ToArray());
            foreach (Errand errand in errands)
            {
                await RunAsync(address, errand);
            }
        }
        catch (RpcError e) when (e.Status == StatusCode.NotFound)
        {
            // Deleted meanwhile.
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
        _ => throw new InvalidOperationException($"Unknown errand {errand}."),
    };

    private async Task StartChildAsync(RunAddress address, long initiatedEventId)
    {
        (RunStart Start, WorkflowIdReusePolicy Reuse, ParentClosePolicy Close)? child = await executions.UpdateAsync(
            address,
            run => run.State.Children.TryGetValue(initiatedEventId, out Child? c) && c.RunId.Length == 0
                ? (run.ChildStart(c), run.ChildReusePolicy(c), c.ClosePolicy)
                : ((RunStart, WorkflowIdReusePolicy, ParentClosePolicy)?)null);
        if (child is not { } wanted)
        {
            return;
        }

        string runId;
        try
        {
            runId = (await starter.StartAsync(wanted.Start, wanted.Reuse, WorkflowIdConflictPolicy.Fail)).RunId;
        }
        catch (RpcError e) when (e.Status == StatusCode.AlreadyExists)
        {
            await executions.UpdateAsync(
                address, run => run.RecordChildNotStarted(initiatedEventId, StartChildWorkflowExecutionFailedCause.WorkflowAlreadyExists));
            return;
        }

        bool orphan = await executions.UpdateAsync(address, run =>
        {
            bool unknown = !run.IsRunning && !run.State.Children.ContainsKey(initiatedEventId);
            run.RecordChildStarted(initiatedEventId, runId);
            return unknown;
        });
        if (orphan && wanted.Close != ParentClosePolicy.Abandon)
        {
            await EndAsync(new RunAddress(address.Namespace, wanted.Start.Attributes.WorkflowId, runId), wanted.Close, address);
        }
    }

    private async Task SignalAsync(RunAddress address, long initiatedEventId)
    {
        (SignalExternalWorkflowExecutionInitiatedEventAttributes Initiated, ExternalSignal Signal)? pending = await executions.UpdateAsync(
            address,
            run => run.State.ExternalSignals.TryGetValue(initiatedEventId, out ExternalSignal? s)
                ? (run.History[(int)initiatedEventId - 1].SignalExternalWorkflowExecutionInitiatedEventAttributes, s)
                : ((SignalExternalWorkflowExecutionInitiatedEventAttributes, ExternalSignal)?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        bool found = await FoundAsync(() => executions.UpdateAsync(
            Target(address, wanted.Initiated.WorkflowExecution),
            run =>
            {
                EnsureChildOf(run, address, wanted.Initiated.ChildWorkflowOnly);
                run.Signal(new WorkflowExecutionSignaledEventAttributes
                {
                    SignalName = wanted.Initiated.SignalName,
                    Input = wanted.Initiated.Input,
                    Header = wanted.Initiated.Header,
                    Identity = Identity,
                    ExternalWorkflowExecution = ExecutionOf(address),
                    RequestId = wanted.Signal.RequestId,
                });
            }));
        await executions.UpdateAsync(address, run => run.RecordSignalSent(initiatedEventId, found));
    }

    private async Task CancelAsync(RunAddress address, long initiatedEventId)
    {
        (RequestCancelExternalWorkflowExecutionInitiatedEventAttributes Initiated, ExternalCancel Cancel)? pending = await executions.UpdateAsync(
            address,
            run => run.State.ExternalCancels.TryGetValue(initiatedEventId, out ExternalCancel? c)
                ? (run.History[(int)initiatedEventId - 1].RequestCancelExternalWorkflowExecutionInitiatedEventAttributes, c)
                : ((RequestCancelExternalWorkflowExecutionInitiatedEventAttributes, ExternalCancel)?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        bool found = await FoundAsync(() => executions.UpdateAsync(
            Target(address, wanted.Initiated.WorkflowExecution),
            run =>
            {
                EnsureChildOf(run, address, wanted.Initiated.ChildWorkflowOnly);
                run.RequestCancel(wanted.Initiated.Reason, Identity, wanted.Cancel.RequestId, ExecutionOf(address), initiatedEventId);
            }));
        await executions.UpdateAsync(address, run => run.RecordCancelSent(initiatedEventId, found));
    }

    private async Task InformParentAsync(RunAddress address)
    {
        (Parent Parent, HistoryEvent Close)? pending = await executions.UpdateAsync(
            address, run => run is { CloseEvent: { } close, State.ParentUnaware: true } ? (run.State.Parent, close) : ((Parent, HistoryEvent)?)null);
        if (pending is not { } wanted)
        {
            return;
        }

        await FoundAsync(() => executions.UpdateAsync(
            new RunAddress(wanted.Parent.Namespace, wanted.Parent.WorkflowId, wanted.Parent.RunId),
            run => run.RecordChildClosed(wanted.Parent.InitiatedEventId, ExecutionOf(address), wanted.Close)));
        await executions.UpdateAsync(address, run => run.RecordParentInformed());
    }

    private async Task EndChildAsync(RunAddress address, long initiatedEventId)
    {
        (string WorkflowId, ParentClosePolicy Policy)? child = await executions.UpdateAsync(
            address,
            run => run.State.Children.TryGetValue(initiatedEventId, out Child? c) ? (c.WorkflowId, c.ClosePolicy) : ((string, ParentClosePolicy)?)null);
        if (child is not { } wanted)
        {
            return;
        }

        // Not by run id: the child may have continued as new.
        await EndAsync(new RunAddress(address.Namespace, wanted.WorkflowId), wanted.Policy, address);
        await executions.UpdateAsync(address, run => run.ForgetChild(initiatedEventId));
    }

    private Task EndAsync(RunAddress child, ParentClosePolicy policy, RunAddress parent) => FoundAsync(() => executions.UpdateAsync(child, run =>
    {
        EnsureChildOf(run, parent, childOnly: true);
        if (policy == ParentClosePolicy.RequestCancel)
        {
            run.RequestCancel("by parent close policy", Identity, $"{parent.RunId}:close", ExecutionOf(parent));
        }
        else
        {
            run.Terminate("by parent close policy", null, Identity);
        }
    }));

    private static async Task<bool> FoundAsync(Func<Task> action)
    {
        try
        {
            await action();
            return true;
        }
        catch (RpcError e) when (e.Status == StatusCode.NotFound)
        {
            return false;
        }
    }

    private static void EnsureChildOf(WorkflowRun run, RunAddress parent, bool childOnly)
    {
        if (childOnly && run.State.Parent?.RunId != parent.RunId)
        {
            throw RpcError.NotFound("The workflow is not a child of the caller.");
        }
    }

    private static RunAddress Target(RunAddress source, WorkflowExecution execution) => new(source.Namespace, execution.WorkflowId, execution.RunId);

    private static WorkflowExecution ExecutionOf(RunAddress address) => new() { WorkflowId = address.WorkflowId, RunId = address.RunId };

    [LoggerMessage(Level = LogLevel.Warning, Message = "Workflow {WorkflowId} could not reach another workflow, trying again: {Reason}")]
    private static partial void LogFailed(ILogger logger, string workflowId, string reason);
}
