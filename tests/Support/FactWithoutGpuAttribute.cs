using TorchSharp;

namespace Alt.Tests;

/// <summary>A fact about machines without a GPU; skipped, with the reason, where libtorch finds one.</summary>
public sealed class FactWithoutGpuAttribute : FactAttribute
{
    public FactWithoutGpuAttribute() => Skip = torch.cuda.is_available() ? "Is about machines without a GPU." : null;
}
