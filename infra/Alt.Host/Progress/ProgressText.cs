using System.Globalization;
using Alt.Workflows;

namespace Alt.Host.Progress;

/// <summary>A snapshot in one line.</summary>
internal static class ProgressText
{
    /// <summary>The part that changes only when the run enters another stage.</summary>
    public static string StageOf(RunSnapshot snapshot) => snapshot switch
    {
        { Run: { Hold: { } hold } } => $"waits: {HoldText.Of(hold, snapshot.Id)}",
        { Run: null or { Phase: RunPhase.Starting } } => "starting",
        { Run: { Phase: RunPhase.Iterating } run, Iteration: var iteration } =>
            $"iteration {run.Iteration} of {run.Iterations} · {iteration?.Stage.ToString() ?? "starting"}",
        { Run.Phase: RunPhase.Importing } => "preparing · data",
        { Run.Phase: RunPhase.TrainingClassifiers } => "preparing · classifiers",
        { Run.Phase: RunPhase.Pretraining } => "preparing · base model",
        { Run: not null } => "report",
    };

    public static string LineOf(RunSnapshot snapshot)
    {
        var parts = new List<string> { StageOf(snapshot) };
        if (snapshot.Run is { Paused: true, Hold: null })
        {
            parts.Add("paused");
        }

        if (snapshot.Iteration is { Chunks: > 0 } iteration)
        {
            parts.Add($"chunk {Math.Min(iteration.ChunksDone + 1, iteration.Chunks)} of {iteration.Chunks}");
        }

        if (snapshot.Work is { Total: > 0 } work)
        {
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{work.Done:N0} of {work.Total:N0} {work.Unit}"));
            if (work.PerSecond > 0)
            {
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{work.PerSecond:#,##0.#} {work.Unit}/s"));
            }
        }

        if (snapshot.Left is { } left)
        {
            parts.Add($"{Duration(left)} left");
        }

        if (snapshot.Trouble is { } trouble)
        {
            parts.Add(trouble);
        }

        return string.Join(" · ", parts);
    }

    public static string Duration(TimeSpan time) => time switch
    {
        { TotalSeconds: < 60 } => string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s"),
        { TotalMinutes: < 60 } => $"{(int)time.TotalMinutes} min {time.Seconds} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes} min",
    };
}
