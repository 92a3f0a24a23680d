namespace Alt.Domain;

/// <summary>The eight stages of one iteration of the loop, in order. Part of every random key, so the numbers must never change.</summary>
public enum Stage
{
    Prompts = 0,
    Sampling = 1,
    Feedback = 2,
    DataPool = 3,
    Selection = 4,
    Training = 5,
    Evaluation = 6,
    Report = 7,
}
