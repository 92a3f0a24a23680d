namespace Alt.Tests;

/// <summary>
/// A fact about the real inputs, which the project does not ship; skipped, with the reason, if this machine lacks them.
/// </summary>
public sealed class FactOnSharedDataAttribute : FactAttribute
{
    public FactOnSharedDataAttribute() =>
        Skip = SharedData.Folder is null ? "Needs the real inputs: set ALT_SHARED_DATA, or put shared/data beside the checkout." : null;
}
