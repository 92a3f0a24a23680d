using System.Text.RegularExpressions;
using Alt.Domain;
using Alt.Model.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Model.Network;

/// <summary>
/// Where models are held and computed. Code that makes a tensor asks here first, so that a missing libtorch gives one clear line.
/// </summary>
public static partial class ModelDevice
{
    [GeneratedRegex("^cuda(:[0-9]{1,2})?$")]
    private static partial Regex Gpu { get; }

    /// <param name="name"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="InputException">There is no such device.</exception>
    public static Device Of(string name)
    {
        TorchLibrary.Require();
        if (name == "cpu")
        {
            return CPU;
        }

        if (!Gpu.IsMatch(name))
        {
            throw new InputException($"device {name}: expected cpu, cuda or cuda:N");
        }

        // Before it is named: TorchSharp initialises what it makes a device of.
        return cuda.is_available()
            ? torch.device(name)
            : throw new InputException(
                $"device {name}: libtorch finds no GPU on this machine; expected a driver and a build of libtorch with "
                + "CUDA, or the device cpu");
    }

    /// <exception cref="InputException">It is not available.</exception>
    /// <exception cref="ArgumentOutOfRangeException">
    /// It is <see cref="RunDevice.Auto"/>, which is no device before <see cref="Choose"/>.
    /// </exception>
    public static Device Of(RunDevice device)
    {
        TorchLibrary.Require();
        return device switch
        {
            RunDevice.Cpu => CPU,
            RunDevice.Cuda when cuda.is_available() => CUDA,
            RunDevice.Cuda => throw new InputException(
                "device: cuda, but libtorch finds no GPU on this machine; expected a driver and a build of libtorch with CUDA, or device: "
                + "cpu (a run that has begun keeps its device; a fork of it may have another)"),
            _ => throw new ArgumentOutOfRangeException(nameof(device)),
        };
    }

    /// <summary>The device that a config selects on this machine.</summary>
    /// <exception cref="InputException">It is not available.</exception>
    public static RunDevice Choose(RunDevice wanted)
    {
        TorchLibrary.Require();
        var device = wanted != RunDevice.Auto ? wanted : cuda.is_available() ? RunDevice.Cuda : RunDevice.Cpu;
        Of(device);
        return device;
    }
}
