using Alt.Activities;
using Alt.Workflows;

namespace Alt.Host.Progress;

/// <summary>A run's progress at one moment, as the server and its worker report it.</summary>
/// <param name="Closed">The workflow has ended, in whatever way.</param>
/// <param name="Run">null while no worker has answered.</param>
/// <param name="Iteration">null outside iterations, and while no worker has answered.</param>
/// <param name="Work">The activities under way taken together; null if none has reported yet.</param>
/// <param name="Trouble">Why an activity is being retried; null if none is.</param>
internal sealed record RunSnapshot(
    string Id, bool Closed, AltRunWorkflow.State? Run, IterationWorkflow.State? Iteration, StageProgress? Work, string? Trouble)
{
    /// <summary>Time until the stage ends at its present speed; null if it is unknown.</summary>
    public TimeSpan? Left
    {
        get
        {
            if (Work is not { Total: > 0, PerSecond: > 0 } work)
            {
                return null;
            }

            var later = Iteration is { Chunks: > 0 } chunks ? Math.Max(0, chunks.Chunks - chunks.ChunksDone - 1) * work.Total : 0;
            return TimeSpan.FromSeconds((work.Total - work.Done + later) / work.PerSecond);
        }
    }
}
