using Temporalio.Api.Failure.V1;

namespace Temporalio.Exceptions;

/// <summary>A workflow was terminated.</summary>
public class TerminatedFailureException : FailureException
{
    /// <summary>Creates the exception from the wire.</summary>
    protected internal TerminatedFailureException(Failure failure, Exception? inner, IFailureDetails? details)
        : base(failure, inner) => Details = details;

    /// <summary>Values that came with the termination, if any.</summary>
    public IFailureDetails? Details { get; }
}
