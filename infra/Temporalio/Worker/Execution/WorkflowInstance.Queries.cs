using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Query.V1;
using Temporalio.Converters;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Queries: they read the state between workflow tasks and leave no trace.</content>
internal sealed partial class WorkflowInstance
{
    public IDictionary<string, WorkflowQueryDefinition> Queries { get; }

    public WorkflowQueryDefinition? DynamicQuery { get; set; }

    /// <summary>Answers a query; errors of its handler are part of the answer.</summary>
    public WorkflowQueryResult Query(WorkflowQuery query)
    {
        WorkflowQueryResult? answer = null;
        // A task of this scheduler, so that the handler sees the workflow's context.
        var task = new Task(() => answer = ledger.Frozen(() => Answer(query)));
        task.Start(this);
        ready.Remove(task);
        TryExecuteTask(task);
        return answer!;
    }

    private WorkflowQueryResult Answer(WorkflowQuery query)
    {
        try
        {
            var result = query.QueryType == "__temporal_workflow_metadata" ? Metadata() : HandleQuery(query);
            return new() { ResultType = QueryResultType.Answered, Answer = converter.ToPayloads([result]) };
        }
#pragma warning disable CA1031 // The error is the answer.
        catch (Exception e)
        {
            return new() { ResultType = QueryResultType.Failed, ErrorMessage = e.Message, Failure = failureConverter.ToFailure(e, converter) };
        }
#pragma warning restore CA1031
    }

    private object? HandleQuery(WorkflowQuery query)
    {
        if (!Queries.TryGetValue(query.QueryType, out var handler) && (handler = DynamicQuery) is null)
        {
            throw new InvalidOperationException(
                $"Query handler for {query.QueryType} expected but not found, known queries: [{string.Join(' ', Queries.Keys.Order(StringComparer.Ordinal))}]");
        }
        var arguments = HandlerArguments(handler.Method ?? handler.Delegate!.Method, query.QueryArgs, $"Query {query.QueryType}", handler.Dynamic, query.QueryType);
        return handler.Method is { } method ? Invoke(method, Instance, arguments) : InvokeDelegate(handler.Delegate!, arguments);
    }

    private Api.Sdk.V1.WorkflowMetadata Metadata()
    {
        var definition = new Api.Sdk.V1.WorkflowDefinition { Type = Info.WorkflowType };
        definition.QueryDefinitions.AddRange(Queries.Values.Select(query => Interaction(query.Name, query.Description)).OrderBy(query => query.Name, StringComparer.Ordinal));
        definition.SignalDefinitions.AddRange(Signals.Values.Select(signal => Interaction(signal.Name, signal.Description)).OrderBy(signal => signal.Name, StringComparer.Ordinal));
        definition.UpdateDefinitions.AddRange(Updates.Values.Select(update => Interaction(update.Name, update.Description)).OrderBy(update => update.Name, StringComparer.Ordinal));
        return new() { Definition = definition, CurrentDetails = CurrentDetails };
    }

    private static Api.Sdk.V1.WorkflowInteractionDefinition Interaction(string? name, string? description) =>
        new() { Name = name ?? "", Description = description ?? "" };
}
