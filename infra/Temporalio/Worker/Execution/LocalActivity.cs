using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Workflows;

namespace Temporalio.Worker.Execution;

/// <summary>A local activity that is to be run.</summary>
/// <param name="Sequence">Number within the workflow, from 1.</param>
/// <param name="Id">Activity ID.</param>
/// <param name="Type">Activity type.</param>
/// <param name="Input">Arguments.</param>
/// <param name="Options">Options.</param>
/// <param name="Attempt">Number of the first attempt to make.</param>
/// <param name="ScheduledTime">When the first attempt of all was scheduled.</param>
/// <param name="Workflow">The workflow.</param>
/// <param name="Cancellation">Cancels it.</param>
internal sealed record LocalActivityTask(
    int Sequence,
    string Id,
    string Type,
    Payloads Input,
    LocalActivityOptions Options,
    int Attempt,
    DateTime ScheduledTime,
    WorkflowInfo Workflow,
    CancellationToken Cancellation);

/// <summary>How a local activity ended.</summary>
/// <param name="Sequence">Number within the workflow.</param>
/// <param name="Id">Activity ID.</param>
/// <param name="Type">Activity type.</param>
/// <param name="Attempt">Number of the last attempt.</param>
/// <param name="Result">Result, if it succeeded.</param>
/// <param name="Failure">Failure, if it did not.</param>
/// <param name="Backoff">Wait before the next attempt, where the workflow is to wait by a timer.</param>
internal sealed record LocalActivityOutcome(
    int Sequence, string Id, string Type, int Attempt, Payloads? Result, Failure? Failure, TimeSpan? Backoff = null);
