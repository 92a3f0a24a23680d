using TemporalServer.Engine.State;

namespace TemporalServer.Engine;

/// <summary>Names one run of a workflow. An empty run id means the current run.</summary>
internal readonly record struct RunAddress(string Namespace, string WorkflowId, string RunId = "");

/// <summary>
/// One attempt of a task that a worker may take. It only points at the run's state: the worker that takes it must still find
/// the attempt there, so a task that is offered twice, or late, does no harm.
/// </summary>
internal sealed record DispatchTask(
    TaskKind Kind, RunAddress Run, string Queue, long ScheduledEventId, int Attempt, bool Sticky = false);
