namespace Alt.Infra;

/// <summary>
/// An artifact could not be written, or the file found is not what its reference names.
/// The message is one line for the user: which artifact, what was expected, what was found, what to do.
/// </summary>
public sealed class ArtifactException(string message, Exception? inner = null) : Exception(message, inner);
