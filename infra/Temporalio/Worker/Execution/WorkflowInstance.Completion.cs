using System.Reflection;
using System.Runtime.ExceptionServices;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>How the run ends.</content>
internal sealed partial class WorkflowInstance
{
    private PendingCommand? completion;

    /// <summary>The commands since the last call; the one that ends the run comes last, whenever it was issued.</summary>
    public IReadOnlyList<Command> TakeCommands()
    {
        if (completion is { } end && ledger.Withdraw(end))
        {
            ledger.Add(end);
        }
        return ledger.Send();
    }

    private async Task RunMainAsync()
    {
        var target = Instance;
        var result = await TaskResult.UnwrapAsync(Invoke(details.Definition.RunMethod, target, runArguments!));
        Complete(new Command
        {
            CommandType = CommandType.CompleteWorkflowExecution,
            CompleteWorkflowExecutionCommandAttributes = new() { Result = converter.ToPayloads([result]) },
        });
    }

    // A run method or a signal handler; either may end the run.
    private async Task RunTopLevelAsync(Func<Task> code)
    {
        try
        {
            await code();
        }
        catch (ContinueAsNewException e)
        {
            Complete(ContinueAsNew(e));
        }
        catch (Exception e) when (cancellation.IsCancellationRequested && TemporalException.IsCanceledException(e))
        {
            Complete(new Command { CommandType = CommandType.CancelWorkflowExecution, CancelWorkflowExecutionCommandAttributes = new() });
        }
        catch (Exception e) when (FailsWorkflow(e))
        {
            Complete(new Command
            {
                CommandType = CommandType.FailWorkflowExecution,
                FailWorkflowExecutionCommandAttributes = new() { Failure = failureConverter.ToFailure(e, converter) },
            });
        }
#pragma warning disable CA1031 // Whatever else it is fails the workflow task; the thread that activates throws it.
        catch (Exception e)
        {
            taskFailure ??= e;
        }
#pragma warning restore CA1031
    }

    private void Complete(Command command)
    {
        if (completion is not null)
        {
            return;
        }
        var becomes = command.CommandType switch
        {
            CommandType.CompleteWorkflowExecution => EventType.WorkflowExecutionCompleted,
            CommandType.FailWorkflowExecution => EventType.WorkflowExecutionFailed,
            CommandType.CancelWorkflowExecution => EventType.WorkflowExecutionCanceled,
            _ => EventType.WorkflowExecutionContinuedAsNew,
        };
        completion = ledger.Add(new(command, becomes, Info.WorkflowType));
    }

    private Command ContinueAsNew(ContinueAsNewException e)
    {
        var options = e.Options;
        var attributes = new ContinueAsNewWorkflowExecutionCommandAttributes
        {
            WorkflowType = new() { Name = e.Workflow },
            TaskQueue = new() { Name = options?.TaskQueue ?? Info.TaskQueue },
            Input = converter.ToPayloads(e.Arguments),
            WorkflowRunTimeout = (options?.RunTimeout).ToProto() ?? Info.RunTimeout.ToProto(),
            WorkflowTaskTimeout = (options?.TaskTimeout).ToProto() ?? Duration.FromTimeSpan(Info.TaskTimeout),
            RetryPolicy = options?.RetryPolicy?.ToProto() ?? Info.RetryPolicy?.ToProto(),
            // The next run starts with what this one has come to, unless told otherwise.
            SearchAttributes = (options?.TypedSearchAttributes ?? searchAttributes).ToProto(),
            Memo = new(),
        };
        foreach (var (key, payload) in options?.Memo?.Select(pair => (pair.Key, converter.ToPayload(pair.Value))) ?? memo.Select(pair => (pair.Key, pair.Value.Payload)))
        {
            attributes.Memo.Fields[key] = payload;
        }
        return new() { CommandType = CommandType.ContinueAsNewWorkflowExecution, ContinueAsNewWorkflowExecutionCommandAttributes = attributes };
    }

    private static object? Invoke(MethodInfo method, object target, object?[] arguments)
    {
        try
        {
            return method.Invoke(target, arguments);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }

    private object?[] DecodeArguments(MethodInfo method, Api.Common.V1.Payloads? input, string what, bool isDynamic, int skip = 0)
    {
        var payloads = input?.Payloads_.ToArray() ?? [];
        if (isDynamic)
        {
            return [payloads.Select(payload => (IRawValue)new RawValue(payload)).ToArray()];
        }
        var parameters = method.GetParameters().Skip(skip).ToArray();
        var required = parameters.Count(parameter => !parameter.HasDefaultValue);
        if (payloads.Length < required)
        {
            throw new InvalidOperationException($"{what} given {payloads.Length} parameter(s), but more are required");
        }
        try
        {
            return parameters.Select((parameter, i) => i < payloads.Length ? converter.ToValue(payloads[i], parameter.ParameterType) : parameter.DefaultValue).ToArray();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what} had failure decoding parameters", e);
        }
    }
}
