using TorchSharp;

namespace Alt.Tests;

/// <summary>A fact about models on a GPU; skipped, with the reason, where libtorch finds none.</summary>
public sealed class FactOnGpuAttribute : FactAttribute
{
    public FactOnGpuAttribute() =>
        Skip = torch.cuda.is_available() ? null : "Needs a GPU: a driver, and a build with CUDA (-p:Cuda=true).";
}
