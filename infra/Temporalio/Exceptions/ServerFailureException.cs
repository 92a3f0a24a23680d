using Temporalio.Api.Failure.V1;

namespace Temporalio.Exceptions;

/// <summary>The server failed the operation.</summary>
public class ServerFailureException : FailureException
{
    /// <summary>Creates the exception from the wire.</summary>
    protected internal ServerFailureException(Failure failure, Exception? inner)
        : base(failure, inner)
    {
    }

    /// <summary>Whether it is never retried.</summary>
    public bool NonRetryable => Failure!.ServerFailureInfo.NonRetryable;
}
