namespace JasperFx;

/// <summary>Insert met a document of the same identity.</summary>
public class DocumentAlreadyExistsException : Exception
{
    public DocumentAlreadyExistsException(Type documentType, object id)
        : this(null, documentType, id)
    {
    }

    public DocumentAlreadyExistsException(Exception? innerException, Type documentType, object id)
        : base($"Document already exists {documentType.FullName}: {id}", innerException)
    {
        DocumentType = documentType;
        Id = id;
    }

    public Type DocumentType { get; }

    public string DocType => DocumentType.FullName!;

    public object Id { get; }
}
