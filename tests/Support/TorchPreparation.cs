using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Alt.Model.Native;

namespace Alt.Tests;

internal static class TorchPreparation
{
    // A test may make a tensor before it uses anything of the assembly that prepares libtorch's loading.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "The tests are a program of their own.")]
    internal static void Prepare() => RuntimeHelpers.RunModuleConstructor(typeof(TorchLibrary).Module.ModuleHandle);
}
