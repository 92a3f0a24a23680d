using Microsoft.Extensions.Logging;
using Temporalio.Converters;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <summary>What is fixed for one run of a workflow.</summary>
/// <param name="Definition">The workflow.</param>
/// <param name="Namespace">Namespace.</param>
/// <param name="WorkflowId">Workflow ID.</param>
/// <param name="RunId">Run ID.</param>
/// <param name="DataConverter">The worker's converters; the codec is applied outside.</param>
/// <param name="LoggerFactory">Logger factory.</param>
/// <param name="FailureExceptionTypes">Exceptions that fail any workflow of the worker.</param>
internal sealed record WorkflowInstanceDetails(
    WorkflowDefinition Definition,
    string Namespace,
    string WorkflowId,
    string RunId,
    DataConverter DataConverter,
    ILoggerFactory LoggerFactory,
    IReadOnlyCollection<Type> FailureExceptionTypes);
