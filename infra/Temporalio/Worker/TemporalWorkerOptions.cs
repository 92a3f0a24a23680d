using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <summary>Options of a worker. <see cref="TaskQueue"/> and at least one workflow or activity are required.</summary>
public class TemporalWorkerOptions : ICloneable
{
    private IList<ActivityDefinition> activities = [];
    private IList<WorkflowDefinition> workflows = [];

    /// <summary>Options without a task queue.</summary>
    public TemporalWorkerOptions()
    {
    }

    /// <summary>Options for a task queue.</summary>
    public TemporalWorkerOptions(string taskQueue) => TaskQueue = taskQueue;

    /// <summary>Task queue.</summary>
    public string? TaskQueue { get; set; }

    /// <summary>The activities.</summary>
    public IList<ActivityDefinition> Activities => activities;

    /// <summary>The workflows.</summary>
    public IList<WorkflowDefinition> Workflows => workflows;

    /// <summary>Starts the tasks of activities. Default <see cref="Task.Factory"/>.</summary>
    public TaskFactory ActivityTaskFactory { get; set; } = Task.Factory;

    /// <summary>Name of the worker in histories and task queues. Default: the client's.</summary>
    public string? Identity { get; set; }

    /// <summary>Most activities at a time. Default 100.</summary>
    public int? MaxConcurrentActivities { get; set; }

    /// <summary>Most local activities at a time. Default 100.</summary>
    public int? MaxConcurrentLocalActivities { get; set; }

    /// <summary>Most workflow tasks at a time. Default 100.</summary>
    public int? MaxConcurrentWorkflowTasks { get; set; }

    /// <summary>Most open polls for activities. Default 5.</summary>
    public int MaxConcurrentActivityTaskPolls { get; set; } = 5;

    /// <summary>Most open polls for workflow tasks. Default 5.</summary>
    public int MaxConcurrentWorkflowTaskPolls { get; set; } = 5;

    /// <summary>Share of these polls that is for workflows that are not in the cache. Default 0.2.</summary>
    public float NonStickyToStickyPollRatio { get; set; } = 0.2F;

    /// <summary>Most workflows in memory; others are replayed when they come up. 0 keeps none. Default 10000.</summary>
    public int MaxCachedWorkflows { get; set; } = 10000;

    /// <summary>How long a task of a cached workflow waits for this worker before any may take it. Default 10 seconds.</summary>
    public TimeSpan StickyQueueScheduleToStartTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time between heartbeats that are sent. Default 60 seconds.</summary>
    public TimeSpan MaxHeartbeatThrottleInterval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Time between heartbeats that are sent for activities without a heartbeat timeout. Default 30 seconds.</summary>
    public TimeSpan DefaultHeartbeatThrottleInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Most activities per second that the whole task queue hands out. Default: no limit.</summary>
    public double? MaxTaskQueueActivitiesPerSecond { get; set; }

    /// <summary>Time that activities have to end after shutdown before they are cancelled. Default: none.</summary>
    public TimeSpan GracefulShutdownTimeout { get; set; } = TimeSpan.Zero;

    /// <summary>Whether activities are left to other workers. Default false.</summary>
    public bool LocalActivityWorkerOnly { get; set; }

    /// <summary>Whether activities are never taken from the reply to a workflow task. Default false.</summary>
    public bool DisableEagerActivityExecution { get; set; }

    /// <summary>Exceptions that fail a workflow rather than its task, beside <see cref="Exceptions.FailureException"/>. Default: none.</summary>
    public IReadOnlyCollection<Type>? WorkflowFailureExceptionTypes { get; set; }

    /// <summary>Whether workflow code may take longer than two seconds without an await, as in a debugger. Default: whether one is attached.</summary>
    public bool DebugMode { get; set; } = System.Diagnostics.Debugger.IsAttached
        || Environment.GetEnvironmentVariable("TEMPORAL_DEBUG") is "1" or "true";

    /// <summary>Logger factory. Default: the client's.</summary>
    public ILoggerFactory? LoggerFactory { get; set; }

    /// <summary>Adds a method with <see cref="ActivityAttribute"/>.</summary>
    public TemporalWorkerOptions AddActivity(Delegate del) => AddActivity(ActivityDefinition.Create(del));

    /// <summary>Adds an activity.</summary>
    public TemporalWorkerOptions AddActivity(ActivityDefinition definition)
    {
        activities.Add(definition);
        return this;
    }

    /// <summary>Adds all methods of a class with <see cref="ActivityAttribute"/>.</summary>
    /// <param name="instance">Target of the methods; may be null if all are static.</param>
    public TemporalWorkerOptions AddAllActivities<T>(T? instance) => AddAllActivities(typeof(T), instance);

    /// <inheritdoc cref="AddAllActivities{T}(T)"/>
    public TemporalWorkerOptions AddAllActivities(Type type, object? instance)
    {
        foreach (var definition in ActivityDefinition.CreateAll(type, instance))
        {
            AddActivity(definition);
        }
        return this;
    }

    /// <summary>Adds a workflow class.</summary>
    public TemporalWorkerOptions AddWorkflow<T>() => AddWorkflow(typeof(T));

    /// <summary>Adds a workflow class.</summary>
    public TemporalWorkerOptions AddWorkflow(Type type) => AddWorkflow(WorkflowDefinition.Create(type));

    /// <summary>Adds a workflow.</summary>
    public TemporalWorkerOptions AddWorkflow(WorkflowDefinition definition)
    {
        workflows.Add(definition);
        return this;
    }

    /// <summary>A copy with lists of its own.</summary>
    public virtual object Clone()
    {
        var copy = (TemporalWorkerOptions)MemberwiseClone();
        copy.activities = activities.ToList();
        copy.workflows = workflows.ToList();
        return copy;
    }
}
