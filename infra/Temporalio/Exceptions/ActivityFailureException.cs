using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Common;

namespace Temporalio.Exceptions;

/// <summary>An activity did not succeed; the inner exception says why.</summary>
public class ActivityFailureException : FailureException
{
    /// <summary>Creates the exception from the wire.</summary>
    protected internal ActivityFailureException(Failure failure, Exception? inner)
        : base(failure, inner)
    {
    }

    /// <summary>Type name of the activity.</summary>
    public string ActivityType => Failure!.ActivityFailureInfo.ActivityType.Name;

    /// <summary>ID of the activity.</summary>
    public string ActivityId => Failure!.ActivityFailureInfo.ActivityId;

    /// <summary>Identity of the worker that ran the last attempt, if known.</summary>
    public string? Identity => Failure!.ActivityFailureInfo.Identity.NullIfEmpty();

    /// <summary>Why there is no further retry.</summary>
    public RetryState RetryState => Failure!.ActivityFailureInfo.RetryState;
}
