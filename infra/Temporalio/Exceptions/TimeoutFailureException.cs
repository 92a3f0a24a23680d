using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Converters;

namespace Temporalio.Exceptions;

/// <summary>An activity or workflow ran out of time.</summary>
public class TimeoutFailureException : FailureException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Message.</param>
    /// <param name="inner">Cause.</param>
    /// <param name="timeoutType">Which timeout it was.</param>
    /// <param name="lastHeartbeatDetails">Details of the last heartbeat.</param>
    public TimeoutFailureException(
        string message, Exception? inner, TimeoutType timeoutType, IReadOnlyCollection<object?>? lastHeartbeatDetails = null)
        : base(message, inner)
    {
        TimeoutType = timeoutType;
        LastHeartbeatDetails = new OutboundFailureDetails(lastHeartbeatDetails ?? []);
    }

    /// <summary>Creates the exception from the wire.</summary>
    protected internal TimeoutFailureException(Failure failure, Exception? inner, IPayloadConverter converter)
        : base(failure, inner)
    {
        TimeoutType = failure.TimeoutFailureInfo.TimeoutType;
        LastHeartbeatDetails = new InboundFailureDetails(converter, failure.TimeoutFailureInfo.LastHeartbeatDetails?.Payloads_);
    }

    /// <summary>Which timeout it was.</summary>
    public TimeoutType TimeoutType { get; protected init; }

    /// <summary>Details of the last heartbeat; never null.</summary>
    public IFailureDetails LastHeartbeatDetails { get; protected init; }
}
