using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Common;
using Temporalio.Converters;

namespace Temporalio.Exceptions;

/// <summary>
/// An error of user code. Thrown from a workflow it fails the workflow. Every other exception of an activity arrives as one of
/// these, with the exception's class name as <see cref="ErrorType"/>.
/// </summary>
public class ApplicationFailureException : FailureException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="message">Message.</param>
    /// <param name="errorType">Name by which a retry policy can exclude it.</param>
    /// <param name="nonRetryable">Whether it is never retried, whatever the retry policy.</param>
    /// <param name="details">Values to carry along.</param>
    /// <param name="nextRetryDelay">Wait before the next attempt, in place of the retry policy's.</param>
    /// <param name="category">Category, which decides how it is logged and counted.</param>
    public ApplicationFailureException(
        string message,
        string? errorType = null,
        bool nonRetryable = false,
        IReadOnlyCollection<object?>? details = null,
        TimeSpan? nextRetryDelay = null,
        ApplicationErrorCategory category = ApplicationErrorCategory.Unspecified)
        : this(message, null, errorType, nonRetryable, details, nextRetryDelay, category)
    {
    }

    /// <summary>Creates the exception with a cause.</summary>
    /// <inheritdoc cref="ApplicationFailureException(string, string?, bool, IReadOnlyCollection{object?}?, TimeSpan?, ApplicationErrorCategory)"/>
    public ApplicationFailureException(
        string message,
        Exception? inner,
        string? errorType = null,
        bool nonRetryable = false,
        IReadOnlyCollection<object?>? details = null,
        TimeSpan? nextRetryDelay = null,
        ApplicationErrorCategory category = ApplicationErrorCategory.Unspecified)
        : base(message, inner)
    {
        ErrorType = errorType;
        NonRetryable = nonRetryable;
        Details = new OutboundFailureDetails(details ?? []);
        NextRetryDelay = nextRetryDelay;
        Category = category;
    }

    /// <summary>Creates the exception from the wire.</summary>
    protected internal ApplicationFailureException(Failure failure, Exception? inner, IPayloadConverter converter)
        : base(failure, inner)
    {
        var info = failure.ApplicationFailureInfo;
        ErrorType = info.Type.NullIfEmpty();
        NonRetryable = info.NonRetryable;
        Details = new InboundFailureDetails(converter, info.Details?.Payloads_);
        NextRetryDelay = info.NextRetryDelay?.ToTimeSpan();
        Category = info.Category;
    }

    /// <summary>Name of the kind of error, if any.</summary>
    public string? ErrorType { get; protected init; }

    /// <summary>Whether it is never retried.</summary>
    public bool NonRetryable { get; protected init; }

    /// <summary>Values that it carries; never null.</summary>
    public IFailureDetails Details { get; protected init; }

    /// <summary>Wait before the next attempt, where it differs from the retry policy's.</summary>
    public TimeSpan? NextRetryDelay { get; protected init; }

    /// <summary>Category of the error.</summary>
    public ApplicationErrorCategory Category { get; protected init; }
}
