using System.Runtime.InteropServices;
using Alt.Model.Native;
using TorchSharp;
using Xunit.Abstractions;

namespace Alt.Tests.Model;

public sealed class TorchLibraryTests(ITestOutputHelper output)
{
    private static readonly string Package = Directory.EnumerateFiles(
        AppContext.BaseDirectory, "libLibTorchSharp.so", SearchOption.AllDirectories).First();

    private static bool IsRuntimeNewEnough => NativeLibrary.TryGetExport(NativeLibrary.Load("libstdc++.so.6"), OlderRuntime.Symbol, out _);

    [Fact]
    public void The_packages_own_library_is_used_unless_the_runtime_is_too_old_for_it()
    {
        TorchLibrary.Require();

        output.WriteLine(IsRuntimeNewEnough
            ? "The C++ runtime is new enough: both ways of loading are tried."
            : "The C++ runtime is older: only the adapted copy can be loaded.");
        Assert.Equal(!IsRuntimeNewEnough, TorchLibrary.IsAdapted);
        Assert.Equal(IsRuntimeNewEnough, NativeLibrary.TryLoad(Package, out _));
        Assert.Equal(6, torch.arange(4).sum().ToInt64());
    }

    [Fact]
    public void The_adapted_copy_loads_on_every_runtime()
    {
        TorchLibrary.Require();
        using var copy = new MemoryFile("adapted", OlderRuntime.Adapt(new ElfFile(File.ReadAllBytes(Package))));

        var library = NativeLibrary.Load(copy.Path);

        Assert.True(NativeLibrary.TryGetExport(library, "THSTensor_add", out _));
    }

    [Fact]
    public void A_library_is_adapted_once()
    {
        var adapted = OlderRuntime.Adapt(new ElfFile(File.ReadAllBytes(Package)));

        Assert.Throws<BadImageFormatException>(() => OlderRuntime.Adapt(new ElfFile(adapted)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(64)]
    [InlineData(1_000_000)]
    public void A_library_that_is_cut_off_is_refused_before_it_is_loaded(int length)
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, File.ReadAllBytes(Package).AsSpan(0, length));

        Assert.Contains(path, Assert.Throws<BadImageFormatException>(() => ElfFile.RequireWhole(path)).Message, StringComparison.Ordinal);
        File.Delete(path);
    }

    [Fact]
    public void Changed_bytes_are_refused_in_one_line_or_leave_it_adapted()
    {
        var original = File.ReadAllBytes(Package);
        var random = new Random(1);
        for (var i = 0; i < 200; i++)
        {
            byte[] changed = [.. original];
            // The header and the table of sections say where everything else is.
            var places = new[] { random.Next(64), changed.Length - 1 - random.Next(2000), changed.Length - 1 - random.Next(2000) };
            Array.ForEach(places, place => changed[place] = (byte)random.Next(256));
            try
            {
                Assert.Equal(original.Length, OlderRuntime.Adapt(new ElfFile(changed)).Length);
            }
            catch (BadImageFormatException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }
}
