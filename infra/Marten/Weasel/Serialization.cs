namespace Weasel.Core;

/// <summary>How enums are stored in JSON.</summary>
public enum EnumStorage
{
    AsInteger,
    AsString,
}

/// <summary>How member names are spelled in JSON.</summary>
public enum Casing
{
    /// <summary>As in C#.</summary>
    Default,
    CamelCase,
    SnakeCase,
}
