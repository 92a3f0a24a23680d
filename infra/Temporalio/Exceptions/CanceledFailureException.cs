using Temporalio.Api.Failure.V1;
using Temporalio.Converters;

namespace Temporalio.Exceptions;

/// <summary>Something was cancelled.</summary>
public class CanceledFailureException : FailureException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Message.</param>
    /// <param name="details">Values to carry along.</param>
    public CanceledFailureException(string message, IReadOnlyCollection<object?>? details = null)
        : base(message) => Details = new OutboundFailureDetails(details ?? []);

    /// <summary>Creates the exception from the wire.</summary>
    protected internal CanceledFailureException(Failure failure, Exception? inner, IPayloadConverter converter)
        : base(failure, inner) => Details = new InboundFailureDetails(converter, failure.CanceledFailureInfo.Details?.Payloads_);

    /// <summary>Values that it carries; never null.</summary>
    public IFailureDetails Details { get; protected init; }
}
