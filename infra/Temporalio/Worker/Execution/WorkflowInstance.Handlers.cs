using Microsoft.Extensions.Logging;
using Temporalio.Api.Common.V1;
using Temporalio.Common;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Signals, and what all handlers share.</content>
internal sealed partial class WorkflowInstance
{
    private readonly List<(string Name, Payloads? Input)> waitingSignals = [];
    private readonly List<(string Kind, string Name, HandlerUnfinishedPolicy Policy)> runningHandlers = [];
    private WorkflowSignalDefinition? dynamicSignal;
    private bool warnedOfUnfinishedHandlers;

    public IDictionary<string, WorkflowSignalDefinition> Signals { get; }

    public bool AllHandlersFinished => runningHandlers.Count == 0;

    public WorkflowSignalDefinition? DynamicSignal
    {
        get => dynamicSignal;
        set
        {
            dynamicSignal = value;
            if (value is not null)
            {
                DeliverWaitingSignals();
            }
        }
    }

    private void ApplySignal(string name, Payloads? input)
    {
        if (Signals.TryGetValue(name, out var handler) || (handler = dynamicSignal) is not null)
        {
            var chosen = handler;
            _ = RunAsTask(() => RunTopLevelAsync(() => HandleSignalAsync(chosen, name, input)));
        }
        else
        {
            // The run method may still set a handler.
            waitingSignals.Add((name, input));
        }
    }

    private void DeliverWaitingSignals()
    {
        var waiting = waitingSignals.ToArray();
        waitingSignals.Clear();
        foreach (var (name, input) in waiting)
        {
            ApplySignal(name, input);
        }
    }

    private async Task HandleSignalAsync(WorkflowSignalDefinition handler, string name, Payloads? input)
    {
        var running = ("Signal", name, handler.UnfinishedPolicy);
        runningHandlers.Add(running);
        try
        {
            var target = Instance;
            object?[] arguments;
            try
            {
                arguments = HandlerArguments(handler.Method ?? handler.Delegate!.Method, input, $"Signal {name}", handler.Dynamic, name);
            }
            catch (InvalidOperationException e)
            {
                // A malformed signal must not be able to stop the workflow.
                Logger.LogError(e, "Failed decoding signal {Signal}, dropping it", name);
                return;
            }
            await TaskResult.UnwrapAsync(handler.Method is { } method ? Invoke(method, target, arguments) : InvokeDelegate(handler.Delegate!, arguments));
        }
        finally
        {
            runningHandlers.Remove(running);
        }
    }

    private object?[] HandlerArguments(System.Reflection.MethodInfo method, Payloads? input, string what, bool isDynamic, string name)
    {
        var arguments = DecodeArguments(method, input, what, isDynamic);
        return isDynamic ? [name, .. arguments] : arguments;
    }

    private static object? InvokeDelegate(Delegate handler, object?[] arguments) => Invoke(handler.Method, handler.Target!, arguments);

    private void WarnOfUnfinishedHandlers()
    {
        if (completion is null || IsReplaying || warnedOfUnfinishedHandlers || completion.EventType == Api.Enums.V1.EventType.WorkflowExecutionFailed)
        {
            return;
        }
        warnedOfUnfinishedHandlers = true;
        foreach (var (kind, name, policy) in runningHandlers)
        {
            if (policy == HandlerUnfinishedPolicy.WarnAndAbandon)
            {
                Logger.LogWarning(
                    "[TMPRL1102] Workflow {WorkflowId} finished while the handler of {Kind} {Name} was still running; await Workflow.AllHandlersFinished to prevent it",
                    Info.WorkflowId, kind, name);
            }
        }
    }
}
