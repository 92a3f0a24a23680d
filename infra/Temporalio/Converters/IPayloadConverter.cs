using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>Between values and payloads. Used inside workflows, so it must be deterministic and quick.</summary>
public interface IPayloadConverter
{
    /// <summary>Converts a value.</summary>
    /// <exception cref="ArgumentException">The value cannot be converted.</exception>
    Payload ToPayload(object? value);

    /// <summary>Converts a payload.</summary>
    /// <exception cref="ArgumentException">The payload's encoding is not known, or it is not of that type.</exception>
    object? ToValue(Payload payload, Type type);
}

/// <summary>Converts values of one encoding.</summary>
public interface IEncodingConverter
{
    /// <summary>Value of the payload's <c>encoding</c> metadata.</summary>
    string Encoding { get; }

    /// <summary>Converts a value, or says that it is not one for this converter.</summary>
    bool TryToPayload(object? value, out Payload? payload);

    /// <summary>Converts a payload of this encoding.</summary>
    object? ToValue(Payload payload, Type type);
}

/// <summary>Changes payloads on their way to and from the server, for instance encrypts them. Not used inside workflows.</summary>
public interface IPayloadCodec
{
    /// <summary>Encodes payloads. May return fewer or more than it got only where it can undo that.</summary>
    Task<IReadOnlyCollection<Payload>> EncodeAsync(IReadOnlyCollection<Payload> payloads);

    /// <summary>Decodes payloads; those that this codec did not encode are passed through.</summary>
    Task<IReadOnlyCollection<Payload>> DecodeAsync(IReadOnlyCollection<Payload> payloads);
}

/// <summary>Between exceptions and failures.</summary>
public interface IFailureConverter
{
    /// <summary>Converts an exception with its causes.</summary>
    Api.Failure.V1.Failure ToFailure(Exception exception, IPayloadConverter payloadConverter);

    /// <summary>Converts a failure with its causes.</summary>
    Exception ToException(Api.Failure.V1.Failure failure, IPayloadConverter payloadConverter);
}
