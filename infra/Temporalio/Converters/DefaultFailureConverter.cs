using Temporalio.Api.Failure.V1;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Temporalio.Converters;

/// <summary>Converts exceptions with their type, stack trace and chain of causes.</summary>
public class DefaultFailureConverter : IFailureConverter
{
    private readonly bool encodeCommonAttributes;

    /// <summary>Creates the converter; messages and stack traces stay readable on the server.</summary>
    public DefaultFailureConverter()
        : this(new DefaultFailureConverterOptions())
    {
    }

    /// <summary>Creates the converter.</summary>
    protected DefaultFailureConverter(DefaultFailureConverterOptions options) => encodeCommonAttributes = options.EncodeCommonAttributes;

    /// <inheritdoc/>
    public Failure ToFailure(Exception exception, IPayloadConverter payloadConverter)
    {
        // A failure that came over the wire goes out as it came.
        var failure = (exception as FailureException)?.Failure?.Clone() ?? Convert(exception, payloadConverter);
        if (encodeCommonAttributes && failure.EncodedAttributes is null)
        {
            failure.EncodedAttributes = payloadConverter.ToPayload(new Dictionary<string, string> { ["message"] = failure.Message, ["stack_trace"] = failure.StackTrace });
            failure.Message = "Encoded failure";
            failure.StackTrace = "";
        }
        return failure;
    }

    /// <inheritdoc/>
    public Exception ToException(Failure failure, IPayloadConverter payloadConverter)
    {
        if (failure.EncodedAttributes is not null)
        {
            failure = failure.Clone();
            var common = payloadConverter.ToValue<Dictionary<string, string>>(failure.EncodedAttributes);
            failure.Message = common.GetValueOrDefault("message", failure.Message);
            failure.StackTrace = common.GetValueOrDefault("stack_trace", failure.StackTrace);
        }
        var inner = failure.Cause is null ? null : ToException(failure.Cause, payloadConverter);
        return failure.FailureInfoCase switch
        {
            Failure.FailureInfoOneofCase.ApplicationFailureInfo => new ApplicationFailureException(failure, inner, payloadConverter),
            Failure.FailureInfoOneofCase.TimeoutFailureInfo => new TimeoutFailureException(failure, inner, payloadConverter),
            Failure.FailureInfoOneofCase.CanceledFailureInfo => new CanceledFailureException(failure, inner, payloadConverter),
            Failure.FailureInfoOneofCase.TerminatedFailureInfo => new TerminatedFailureException(failure, inner, null),
            Failure.FailureInfoOneofCase.ServerFailureInfo => new ServerFailureException(failure, inner),
            Failure.FailureInfoOneofCase.ActivityFailureInfo => new ActivityFailureException(failure, inner),
            Failure.FailureInfoOneofCase.ChildWorkflowExecutionFailureInfo => new ChildWorkflowFailureException(failure, inner),
            _ => new FailureException(failure, inner),
        };
    }

    private Failure Convert(Exception exception, IPayloadConverter payloadConverter)
    {
        var failure = new Failure
        {
            Message = exception.Message,
            StackTrace = exception.StackTrace ?? "",
            Source = "DotNetSDK",
            Cause = exception.InnerException is null ? null : ToFailure(exception.InnerException, payloadConverter),
        };
        switch (exception)
        {
            case ApplicationFailureException application:
                failure.ApplicationFailureInfo = new()
                {
                    Type = application.ErrorType ?? "",
                    NonRetryable = application.NonRetryable,
                    Details = Details(application.Details, payloadConverter),
                    NextRetryDelay = application.NextRetryDelay.ToProto(),
                    Category = application.Category,
                };
                break;
            case CanceledFailureException canceled:
                failure.CanceledFailureInfo = new() { Details = Details(canceled.Details, payloadConverter) };
                break;
            case TimeoutFailureException timeout:
                failure.TimeoutFailureInfo = new()
                {
                    TimeoutType = timeout.TimeoutType,
                    LastHeartbeatDetails = Details(timeout.LastHeartbeatDetails, payloadConverter),
                };
                break;
            default:
                failure.ApplicationFailureInfo = new() { Type = exception.GetType().Name };
                break;
        }
        return failure;
    }

    private static Api.Common.V1.Payloads? Details(IFailureDetails details, IPayloadConverter converter) =>
        details is OutboundFailureDetails { Count: > 0 } outbound ? converter.ToPayloads(outbound.Details!) : null;
}

/// <summary>Options of <see cref="DefaultFailureConverter"/>.</summary>
public class DefaultFailureConverterOptions
{
    /// <summary>Whether message and stack trace travel as a payload, so that a codec can encrypt them. Default false.</summary>
    public bool EncodeCommonAttributes { get; init; }
}
