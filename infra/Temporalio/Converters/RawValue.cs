using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>A payload as it is. A parameter or result of this type is not converted.</summary>
public interface IRawValue
{
    /// <summary>The payload.</summary>
    Payload Payload { get; }
}

/// <summary>A payload as it is.</summary>
/// <param name="Payload">The payload.</param>
public record RawValue(Payload Payload) : IRawValue;

/// <summary>A payload as the server holds it, still encoded by the codec.</summary>
public interface IEncodedRawValue : IRawValue
{
    /// <summary>Decodes and converts the payload.</summary>
    Task<T> ToValueAsync<T>();
}

/// <summary>A payload as the server holds it, still encoded by the codec.</summary>
/// <param name="DataConverter">Decodes and converts it.</param>
/// <param name="Payload">The payload.</param>
public record EncodedRawValue(DataConverter DataConverter, Payload Payload) : IEncodedRawValue
{
    /// <inheritdoc/>
    public Task<T> ToValueAsync<T>() => DataConverter.ToValueAsync<T>(Payload);
}
