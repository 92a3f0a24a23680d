using System.Text.Json.Serialization;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace Temporalio.Activities;

/// <summary>What is known about the running activity.</summary>
/// <param name="ActivityId">ID of the activity within its workflow.</param>
/// <param name="ActivityType">Type name.</param>
/// <param name="Attempt">Number of the attempt, from 1.</param>
/// <param name="CurrentAttemptScheduledTime">When this attempt was scheduled.</param>
/// <param name="DataConverter">Converts heartbeat details.</param>
/// <param name="HeartbeatDetails">Details of the last heartbeat of the previous attempt.</param>
/// <param name="HeartbeatTimeout">Longest time between heartbeats.</param>
/// <param name="IsLocal">Whether this is a local activity.</param>
/// <param name="ScheduleToCloseTimeout">Longest time for all attempts.</param>
/// <param name="ScheduledTime">When the activity was first scheduled.</param>
/// <param name="StartToCloseTimeout">Longest time for one attempt.</param>
/// <param name="StartedTime">When this attempt started.</param>
/// <param name="TaskQueue">Task queue.</param>
/// <param name="TaskToken">Token by which the activity can be completed from elsewhere.</param>
/// <param name="WorkflowId">ID of the workflow.</param>
/// <param name="WorkflowNamespace">Namespace of the workflow.</param>
/// <param name="WorkflowRunId">Run ID of the workflow.</param>
/// <param name="WorkflowType">Type name of the workflow.</param>
public record ActivityInfo(
    string ActivityId,
    string ActivityType,
    int Attempt,
    DateTime CurrentAttemptScheduledTime,
    [property: JsonIgnore] DataConverter DataConverter,
    IReadOnlyCollection<Payload> HeartbeatDetails,
    TimeSpan? HeartbeatTimeout,
    bool IsLocal,
    TimeSpan? ScheduleToCloseTimeout,
    DateTime ScheduledTime,
    TimeSpan? StartToCloseTimeout,
    DateTime StartedTime,
    string TaskQueue,
    byte[] TaskToken,
    string WorkflowId,
    string WorkflowNamespace,
    string WorkflowRunId,
    string WorkflowType)
{
    /// <summary>Scope of the activity's log lines.</summary>
    internal Dictionary<string, object> LoggerScope { get; } = new()
    {
        ["ActivityId"] = ActivityId,
        ["ActivityType"] = ActivityType,
        ["Attempt"] = Attempt,
        ["WorkflowNamespace"] = WorkflowNamespace,
        ["WorkflowId"] = WorkflowId,
        ["WorkflowRunId"] = WorkflowRunId,
        ["WorkflowType"] = WorkflowType,
    };

    /// <summary>Converts one of the details of the previous attempt's last heartbeat.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer details.</exception>
    public Task<T> HeartbeatDetailAtAsync<T>(int index) => DataConverter.ToValueAsync<T>(HeartbeatDetails.ElementAt(index));
}
