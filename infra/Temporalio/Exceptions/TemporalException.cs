namespace Temporalio.Exceptions;

/// <summary>Base of the exceptions of this library.</summary>
public abstract class TemporalException : Exception
{
    /// <summary>Creates the exception.</summary>
    protected TemporalException()
    {
    }

    /// <summary>Creates the exception.</summary>
    protected TemporalException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception.</summary>
    protected TemporalException(string message, Exception? inner)
        : base(message, inner)
    {
    }

    /// <summary>
    /// Whether an exception means cancellation: .NET's own, Temporal's, or an activity or child workflow that failed with it.
    /// </summary>
    public static bool IsCanceledException(Exception e) => e is OperationCanceledException or CanceledFailureException
        || e is ActivityFailureException or ChildWorkflowFailureException && e.InnerException is CanceledFailureException;
}
