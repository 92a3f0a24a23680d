using Alt.Activities;
using Alt.Workflows;

namespace Alt.Host.Progress;

/// <summary>Where a run is at one moment, as far as the server and its worker tell.</summary>
/// <param name="Closed">The workflow has ended, in whatever way.</param>
/// <param name="Run">null while no worker has answered.</param>
/// <param name="Iteration">null outside iterations, and while no worker has answered.</param>
/// <param name="Work">The activities under way taken together; null if none has reported yet.</param>
/// <param name="Trouble">Why an activity is being tried again; null where all is well.</param>
internal sealed record RunSnapshot(
    bool Closed, AltRunWorkflow.State? Run, IterationWorkflow.State? Iteration, StageProgress? Work, string? Trouble)
{
    /// <summary>Time until the stage ends at its present speed; null where that cannot be said.</summary>
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
