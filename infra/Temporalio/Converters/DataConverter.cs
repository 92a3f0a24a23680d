using Temporalio.Api.Common.V1;
using Temporalio.Api.Failure.V1;

namespace Temporalio.Converters;

/// <summary>Everything that turns values and exceptions into what the server stores, and back.</summary>
/// <param name="PayloadConverter">Between values and payloads.</param>
/// <param name="FailureConverter">Between exceptions and failures.</param>
/// <param name="PayloadCodec">Encodes payloads before they leave the process; null for none.</param>
public record DataConverter(IPayloadConverter PayloadConverter, IFailureConverter FailureConverter, IPayloadCodec? PayloadCodec = null)
{
    /// <summary>Creates the default converter.</summary>
    public DataConverter()
        : this(new DefaultPayloadConverter(), new DefaultFailureConverter())
    {
    }

    /// <summary>The default converter: plain JSON, no codec.</summary>
    public static DataConverter Default { get; } = new();

    /// <summary>Converts and encodes a value.</summary>
    public async Task<Payload> ToPayloadAsync(object? value)
    {
        var payload = PayloadConverter.ToPayload(value);
        return PayloadCodec is null ? payload : (await PayloadCodec.EncodeAsync([payload])).Single();
    }

    /// <summary>Decodes and converts a payload.</summary>
    public async Task<T> ToValueAsync<T>(Payload payload) => (T)(await ToValueAsync(payload, typeof(T)))!;

    /// <summary>Decodes and converts a payload.</summary>
    public async Task<object?> ToValueAsync(Payload payload, Type type)
    {
        var decoded = PayloadCodec is null ? payload : (await PayloadCodec.DecodeAsync([payload])).Single();
        return PayloadConverter.ToValue(decoded, type);
    }

    /// <summary>Converts and encodes an exception.</summary>
    public async Task<Failure> ToFailureAsync(Exception exception)
    {
        var failure = FailureConverter.ToFailure(exception, PayloadConverter);
        await PayloadVisitor.EncodeAsync(failure, PayloadCodec);
        return failure;
    }

    /// <summary>Decodes and converts a failure.</summary>
    public async Task<Exception> ToExceptionAsync(Failure failure)
    {
        if (PayloadCodec is not null)
        {
            failure = failure.Clone();
            await PayloadVisitor.DecodeAsync(failure, PayloadCodec);
        }
        return FailureConverter.ToException(failure, PayloadConverter);
    }

    internal async Task<Payloads> ToPayloadsAsync(IReadOnlyCollection<object?> values)
    {
        var payloads = new Payloads();
        payloads.Payloads_.AddRange(values.Select(PayloadConverter.ToPayload));
        await PayloadVisitor.EncodeAsync(payloads, PayloadCodec);
        return payloads;
    }

    /// <summary>The first payload as a value, or the default where there is none.</summary>
    internal async Task<T> ToSingleValueAsync<T>(Payloads? payloads)
    {
        if (typeof(T) == typeof(ValueTuple) || payloads is null || payloads.Payloads_.Count == 0)
        {
            return default!;
        }
        return await ToValueAsync<T>(payloads.Payloads_[0]);
    }
}
