using Temporalio.Api.Failure.V1;

namespace Temporalio.Exceptions;

/// <summary>
/// An exception that travels as a Temporal failure. Thrown from a workflow it fails the workflow; every other exception only
/// fails the workflow task, which the server then retries.
/// </summary>
public class FailureException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    protected internal FailureException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>Creates the exception from the wire.</summary>
    protected internal FailureException(Failure failure, Exception? inner)
        : base(failure.Message, inner) => Failure = failure;

    /// <summary>The failure as it came over the wire; null where the exception was created here.</summary>
    public Failure? Failure { get; }

    /// <summary>Stack trace of the process that threw it, where the exception came over the wire.</summary>
    public override string? StackTrace =>
        string.IsNullOrEmpty(Failure?.StackTrace) ? base.StackTrace : Failure.StackTrace;
}
