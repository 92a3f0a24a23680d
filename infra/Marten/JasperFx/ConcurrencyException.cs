namespace JasperFx;

/// <summary>Somebody else changed the document or stream between reading and writing it. Read again, decide again, retry.</summary>
public class ConcurrencyException : Exception
{
    public ConcurrencyException(Type docType, object id)
        : base($"Optimistic concurrency check failed for {docType.FullName} #{id}")
    {
        DocType = docType.FullName;
        Id = id;
    }

    public ConcurrencyException(string message, Type? docType, object? id, Exception? innerException = null)
        : base(message, innerException)
    {
        DocType = docType?.FullName;
        Id = id;
    }

    /// <summary>Full name of the document's or aggregate's type, where it is known.</summary>
    public string? DocType { get; }

    /// <summary>Identity of the document or stream, where it is known.</summary>
    public object? Id { get; }
}
