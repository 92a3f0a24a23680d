using Alt.Model.Training;

namespace Alt.Tests.Model;

internal static class TrainerSteps
{
    /// <summary>Makes so many updates, or those that are left.</summary>
    public static IReadOnlyList<StepMetrics> Train(this Trainer trainer, int steps = int.MaxValue) => [.. trainer.TakeSteps().Take(steps)];
}
