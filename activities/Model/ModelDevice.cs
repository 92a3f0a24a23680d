using Alt.Domain;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Activities.Model;

/// <summary>Where models are held and computed.</summary>
public static class ModelDevice
{
    /// <param name="name"><c>cpu</c>, <c>cuda</c> or <c>cuda:N</c>.</param>
    /// <exception cref="InputException">There is no such device.</exception>
    public static Device Of(string name)
    {
        try
        {
            var device = torch.device(name);
            return device.type == DeviceType.CPU || cuda.is_available()
                ? device
                : throw new InputException($"device {name}: this libtorch finds no GPU; expected a build of libtorch with CUDA and a driver, or the device cpu");
        }
        catch (FormatException)
        {
            throw new InputException($"device {name}: expected cpu, cuda or cuda:N");
        }
    }
}
