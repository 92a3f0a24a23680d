namespace JasperFx.Events.Projections;

/// <summary>A type cannot be folded from events.</summary>
public class InvalidProjectionException(string message) : Exception(message);
