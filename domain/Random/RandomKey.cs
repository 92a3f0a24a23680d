namespace Alt.Domain;

/// <summary>
/// Names one stream of random numbers. Every random choice of a run is a pure function of such a key and a position in its stream,
/// so it depends on no order, no chunk, no worker and no retry.
/// </summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Iteration">The iteration, from -1 to 2^24 - 2; -1 is the creation of a model's initial weights.</param>
/// <param name="Stage">The stage that draws.</param>
/// <param name="Prompt">Ordinal of the prompt, or of whatever else the stage counts (epoch, tensor).</param>
/// <param name="K">Which of the prompt's generations.</param>
public readonly record struct RandomKey(long Seed, int Iteration, Stage Stage, int Prompt = 0, int K = 0);
