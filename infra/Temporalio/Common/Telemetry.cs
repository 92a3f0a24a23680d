using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Temporalio.Common;

/// <summary>Metrics of clients and workers, under the names that all SDKs use; collect the meter <c>Temporalio</c>.</summary>
internal static class Telemetry
{
    private static readonly Meter Meter = new("Temporalio", "1.9.0");

    /// <summary>Calls to the server, by operation.</summary>
    public static Counter<long> Requests { get; } = Meter.CreateCounter<long>("temporal_request");

    /// <summary>Calls to the server that failed, by operation and status.</summary>
    public static Counter<long> RequestFailures { get; } = Meter.CreateCounter<long>("temporal_request_failure");

    /// <summary>Time of calls to the server, in milliseconds, by operation. Polls last until there is something to do.</summary>
    public static Histogram<double> RequestLatency { get; } = Meter.CreateHistogram<double>("temporal_request_latency", "ms");

    /// <summary>Time that activities waited in the queue, in milliseconds.</summary>
    public static Histogram<double> ActivityScheduleToStart { get; } = Meter.CreateHistogram<double>("temporal_activity_schedule_to_start_latency", "ms");

    /// <summary>Time that attempts of activities took, in milliseconds.</summary>
    public static Histogram<double> ActivityExecution { get; } = Meter.CreateHistogram<double>("temporal_activity_execution_latency", "ms");

    /// <summary>Attempts of activities that failed.</summary>
    public static Counter<long> ActivityFailures { get; } = Meter.CreateCounter<long>("temporal_activity_execution_failed");

    /// <summary>Time that workflow tasks took, in milliseconds.</summary>
    public static Histogram<double> WorkflowTaskExecution { get; } = Meter.CreateHistogram<double>("temporal_workflow_task_execution_latency", "ms");

    /// <summary>Workflow tasks that failed.</summary>
    public static Counter<long> WorkflowTaskFailures { get; } = Meter.CreateCounter<long>("temporal_workflow_task_execution_failed");

    /// <summary>Workflow tasks that found their workflow in memory.</summary>
    public static Counter<long> StickyCacheHits { get; } = Meter.CreateCounter<long>("temporal_sticky_cache_hit");

    /// <summary>Workflow tasks that had to replay their workflow.</summary>
    public static Counter<long> StickyCacheMisses { get; } = Meter.CreateCounter<long>("temporal_sticky_cache_miss");

    /// <summary>Workflows that had to leave the memory for others.</summary>
    public static Counter<long> StickyCacheEvictions { get; } = Meter.CreateCounter<long>("temporal_sticky_cache_total_forced_eviction");

    /// <summary>Workflow runs that ended, by how they ended.</summary>
    public static Counter<long> WorkflowEnds { get; } = Meter.CreateCounter<long>("temporal_workflow_completed");

    public static TagList Tags(string taskQueue, string kind, string name) => new() { { "task_queue", taskQueue }, { kind, name } };
}
