using System.Linq.Expressions;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.WorkflowService.V1;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Client;

/// <content>Starting workflows.</content>
public partial class TemporalClient
{
    /// <inheritdoc/>
    public async Task<WorkflowHandle<TWorkflow, TResult>> StartWorkflowAsync<TWorkflow, TResult>(
        Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, WorkflowOptions options)
    {
        var (name, args) = RunCall(workflowRunCall);
        var (id, runId) = await StartAsync(name, args, options);
        return new(this, id, null, runId, options.StartSignal is null ? runId : null);
    }

    /// <inheritdoc/>
    public async Task<WorkflowHandle<TWorkflow>> StartWorkflowAsync<TWorkflow>(Expression<Func<TWorkflow, Task>> workflowRunCall, WorkflowOptions options)
    {
        var (name, args) = RunCall(workflowRunCall);
        var (id, runId) = await StartAsync(name, args, options);
        return new(this, id, null, runId, options.StartSignal is null ? runId : null);
    }

    /// <inheritdoc/>
    public async Task<WorkflowHandle> StartWorkflowAsync(string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options)
    {
        var (id, runId) = await StartAsync(workflow, args, options);
        return new(this, id, null, runId, options.StartSignal is null ? runId : null);
    }

    private async Task<(string Id, string RunId)> StartAsync(string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options)
    {
        var request = await StartRequestAsync(workflow, args, options);
        try
        {
            return options.StartSignal is null
                ? (request.WorkflowId, (await WorkflowService.StartWorkflowExecutionAsync(request, Retrying(options.Rpc))).RunId)
                : (request.WorkflowId, await SignalWithStartAsync(request, options));
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.AlreadyExists)
        {
            throw new WorkflowAlreadyStartedException(e.Message, request.WorkflowId, workflow, ExistingRunId(e));
        }
    }

    private async Task<string> SignalWithStartAsync(StartWorkflowExecutionRequest start, WorkflowOptions options)
    {
        // The fields that both requests have carry the same names.
        var request = new SignalWithStartWorkflowExecutionRequest
        {
            SignalName = options.StartSignal,
            SignalInput = await Options.DataConverter.ToPayloadsAsync(options.StartSignalArgs ?? []),
        };
        foreach (var field in SignalWithStartWorkflowExecutionRequest.Descriptor.Fields.InDeclarationOrder())
        {
            if (StartWorkflowExecutionRequest.Descriptor.FindFieldByName(field.Name) is { IsRepeated: false } source
                && source.Accessor.GetValue(start) is { } value)
            {
                field.Accessor.SetValue(request, value);
            }
        }
        return (await WorkflowService.SignalWithStartWorkflowExecutionAsync(request, Retrying(options.Rpc))).RunId;
    }

    private async Task<StartWorkflowExecutionRequest> StartRequestAsync(string workflow, IReadOnlyCollection<object?> args, WorkflowOptions options)
    {
        var converter = Options.DataConverter;
        var request = new StartWorkflowExecutionRequest
        {
            Namespace = Options.Namespace,
            WorkflowId = options.Id ?? throw new ArgumentException("ID required to start workflow"),
            WorkflowType = new() { Name = workflow },
            TaskQueue = new() { Name = options.TaskQueue ?? throw new ArgumentException("Task queue required to start workflow") },
            Input = await converter.ToPayloadsAsync(args),
            Identity = Connection.Options.Identity,
            // A repeated call starts the workflow once.
            RequestId = Guid.NewGuid().ToString(),
            WorkflowIdReusePolicy = options.IdReusePolicy,
            WorkflowIdConflictPolicy = options.IdConflictPolicy,
            WorkflowExecutionTimeout = options.ExecutionTimeout.ToProto(),
            WorkflowRunTimeout = options.RunTimeout.ToProto(),
            WorkflowTaskTimeout = options.TaskTimeout.ToProto(),
            WorkflowStartDelay = options.StartDelay.ToProto(),
            RetryPolicy = options.RetryPolicy?.ToProto(),
            CronSchedule = options.CronSchedule ?? "",
            SearchAttributes = options.TypedSearchAttributes?.ToProto(),
        };
        if (options.Memo is { } memo)
        {
            request.Memo = new Memo();
            foreach (var (key, value) in memo)
            {
                request.Memo.Fields[key] = await converter.ToPayloadAsync(value);
            }
        }
        if (options.StaticSummary is not null || options.StaticDetails is not null)
        {
            request.UserMetadata = new()
            {
                Summary = options.StaticSummary is null ? null : await converter.ToPayloadAsync(options.StaticSummary),
                Details = options.StaticDetails is null ? null : await converter.ToPayloadAsync(options.StaticDetails),
            };
        }
        return request;
    }

    private static string ExistingRunId(RpcException e)
    {
        foreach (var detail in e.RawStatus is null ? [] : Google.Rpc.Status.Parser.ParseFrom(e.RawStatus).Details.ToArray())
        {
            if (detail.TryUnpack<WorkflowExecutionAlreadyStartedFailure>(out var failure))
            {
                return failure.RunId;
            }
        }
        return "";
    }
}
