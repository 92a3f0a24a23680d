using Temporalio.Api.Common.V1;
using Temporalio.Converters;

namespace Temporalio.Exceptions;

/// <summary>Values that an exception carries.</summary>
public interface IFailureDetails
{
    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>The value at an index.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such index.</exception>
    T? ElementAt<T>(int index);
}

/// <summary>Details of an exception that was created in this process.</summary>
/// <param name="Details">The values.</param>
public record OutboundFailureDetails(IReadOnlyCollection<object?>? Details) : IFailureDetails
{
    /// <inheritdoc/>
    public int Count => Details?.Count ?? 0;

    /// <inheritdoc/>
    public T? ElementAt<T>(int index) => (T?)(Details ?? []).ElementAt(index);
}

/// <summary>Details of an exception that came over the wire; converted when asked for.</summary>
/// <param name="Converter">Converts the payloads.</param>
/// <param name="Payloads">The payloads.</param>
public record InboundFailureDetails(IPayloadConverter Converter, IReadOnlyCollection<Payload>? Payloads) : IFailureDetails
{
    /// <inheritdoc/>
    public int Count => Payloads?.Count ?? 0;

    /// <inheritdoc/>
    public T? ElementAt<T>(int index) => Converter.ToValue<T>((Payloads ?? []).ElementAt(index));
}
