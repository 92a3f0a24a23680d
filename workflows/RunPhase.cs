namespace Alt.Workflows;

/// <summary>How far a run is as a whole, in order; an iteration says its stage itself.</summary>
public enum RunPhase
{
    /// <summary>Nothing is recorded yet.</summary>
    Starting,

    /// <summary>Prompts and texts are read from the files that the config names.</summary>
    Importing,

    TrainingClassifiers,

    /// <summary>The base model is trained, or its checkpoint is read.</summary>
    Pretraining,

    Iterating,

    /// <summary>The run's end is recorded.</summary>
    Closing,
}
