using Npgsql;

namespace Marten.Exceptions;

/// <summary>Base of the errors that the store itself raises.</summary>
public abstract class MartenException(string message, Exception? innerException = null) : Exception(message, innerException);

/// <summary>PostgreSQL refused a command. The inner exception has its words; <see cref="Command"/> its text, where it is known.</summary>
public class MartenCommandException(NpgsqlCommand? command, Exception innerException)
    : MartenException($"Marten Command Failure:\n{command?.CommandText}\n\n{innerException.Message}", innerException)
{
    public NpgsqlCommand? Command { get; } = command;
}

/// <summary>Two serializable transactions collided. Retry.</summary>
public class ConcurrentUpdateException(Exception innerException)
    : MartenException("Write collision detected while commiting the transaction.", innerException);

/// <summary>Update or a versioned delete met no document of this identity.</summary>
public class NonExistentDocumentException(Type docType, object id) : MartenException($"Nonexistent document {docType.FullName}: {id}")
{
    public Type DocType { get; } = docType;

    public object Id { get; } = id;
}

/// <summary>A type cannot be stored as a document, mostly because it has no usable identity.</summary>
public class InvalidDocumentException(string message) : MartenException(message);
