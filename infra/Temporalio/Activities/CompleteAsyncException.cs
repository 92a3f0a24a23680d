using Temporalio.Exceptions;

namespace Temporalio.Activities;

/// <summary>Thrown by an activity that somebody else will complete, through <c>ITemporalClient.GetAsyncActivityHandle</c>.</summary>
public class CompleteAsyncException : TemporalException
{
    /// <summary>Creates the exception.</summary>
    public CompleteAsyncException()
    {
    }
}
