using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>Typed forms of <see cref="IPayloadConverter"/>.</summary>
public static class ConverterExtensions
{
    /// <summary>Converts a payload.</summary>
    public static T ToValue<T>(this IPayloadConverter converter, Payload payload) => (T)converter.ToValue(payload, typeof(T))!;

    /// <summary>Converts a raw value.</summary>
    public static T ToValue<T>(this IPayloadConverter converter, IRawValue rawValue) => converter.ToValue<T>(rawValue.Payload);

    internal static Payloads ToPayloads(this IPayloadConverter converter, IEnumerable<object?> values)
    {
        var payloads = new Payloads();
        payloads.Payloads_.AddRange(values.Select(converter.ToPayload));
        return payloads;
    }
}
