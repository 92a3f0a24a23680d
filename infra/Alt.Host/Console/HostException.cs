namespace Alt.Host;

/// <summary>Something outside the user's input failed. The message is one line for the user: what, and what to do.</summary>
internal sealed class HostException(string message, Exception? inner = null) : Exception(message, inner);
