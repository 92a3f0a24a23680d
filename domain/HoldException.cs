namespace Alt.Domain;

/// <summary>The work cannot continue until a person acts.</summary>
public sealed class HoldException(Hold hold) : Exception(hold.Reason)
{
    public Hold Hold => hold;
}
