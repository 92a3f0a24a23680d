namespace JasperFx;

/// <summary>What a store may do to the database's schema on its own.</summary>
public enum AutoCreate
{
    /// <summary>As <see cref="CreateOrUpdate"/>: this library never drops a table.</summary>
    All,

    /// <summary>Create what is missing when it is first used.</summary>
    CreateOrUpdate,

    /// <summary>As <see cref="CreateOrUpdate"/>: this library never alters a table.</summary>
    CreateOnly,

    /// <summary>Touch nothing; a missing table surfaces as an error of the command that needs it.</summary>
    None,
}
