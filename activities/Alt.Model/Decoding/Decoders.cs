using Alt.Domain;
using Alt.Model.Network;
using TorchSharp;

namespace Alt.Model.Decoding;

/// <summary>Chooses how a model decodes, and how many sequences at once.</summary>
internal static class Decoders
{
    /// <param name="wanted">Most sequences at once.</param>
    /// <param name="positions">Most tokens of a sequence.</param>
    /// <exception cref="InputException">The memory has no room for one sequence.</exception>
    public static IDecoder For(LanguageModel model, int wanted, int positions)
    {
        // Packed weights are the model's own, without adapters.
        if (model.Device.type != DeviceType.CPU || model.Adapters.Any())
        {
            return new TensorDecoder(model, wanted, positions);
        }

        // The packed weights come first. Then half of what is left: the rest is for what the step computes, and for others.
        model.Packed();
        var memory = (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet) / 2;
        var perSequence = PagedCache.BytesPerSequence(model.Config, model.ElementType, positions);
        var room = (int)Math.Min(wanted, memory / perSequence);
        return room > 0
            ? new PackedDecoder(model, room, positions)
            : throw new InputException(
                $"a sequence of {positions} tokens takes {perSequence >> 20} MiB, and {memory >> 20} MiB are left for it; use a smaller "
                + "model or fewer new tokens");
    }
}
