using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>Options of the next run; what is null stays as it is.</summary>
public class ContinueAsNewOptions : ICloneable
{
    /// <summary>Task queue.</summary>
    public string? TaskQueue { get; set; }

    /// <summary>Longest time for one run.</summary>
    public TimeSpan? RunTimeout { get; set; }

    /// <summary>Longest time for one workflow task.</summary>
    public TimeSpan? TaskTimeout { get; set; }

    /// <summary>How the workflow is retried when it fails.</summary>
    public RetryPolicy? RetryPolicy { get; set; }

    /// <summary>Memo.</summary>
    public IReadOnlyDictionary<string, object>? Memo { get; set; }

    /// <summary>Search attributes.</summary>
    public SearchAttributeCollection? TypedSearchAttributes { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>Thrown out of the run method to go on as a new run. Made by <see cref="Workflow"/>'s CreateContinueAsNewException.</summary>
public class ContinueAsNewException : Exceptions.TemporalException
{
    internal ContinueAsNewException(string workflow, IReadOnlyCollection<object?> arguments, ContinueAsNewOptions? options)
        : base("Continue as new") => (Workflow, Arguments, Options) = (workflow, arguments, options);

    internal string Workflow { get; }

    internal IReadOnlyCollection<object?> Arguments { get; }

    internal ContinueAsNewOptions? Options { get; }
}
