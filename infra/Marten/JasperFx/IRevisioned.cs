namespace JasperFx;

/// <summary>A document whose numeric revision is kept in its table's <c>mt_version</c> and checked when it is stored.</summary>
public interface IRevisioned
{
    /// <summary>The revision as it was loaded; 0 for a document that was never stored.</summary>
    int Version { get; set; }
}
