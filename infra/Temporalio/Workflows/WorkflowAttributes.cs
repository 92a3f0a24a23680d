namespace Temporalio.Workflows;

/// <summary>Marks a class or interface as a workflow.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Interface | AttributeTargets.Struct, Inherited = false)]
public sealed class WorkflowAttribute : Attribute
{
    /// <summary>A workflow named as its type (an interface without its leading I).</summary>
    public WorkflowAttribute()
    {
    }

    /// <summary>A workflow of this name.</summary>
    public WorkflowAttribute(string name) => Name = name;

    /// <summary>Name, if it is not the type's.</summary>
    public string? Name { get; }

    /// <summary>Whether this workflow takes the types for which no other is registered.</summary>
    public bool Dynamic { get; set; }

    /// <summary>Exceptions that fail the workflow rather than the workflow task, beside <c>FailureException</c>.</summary>
    public Type[]? FailureExceptionTypes { get; set; }
}

/// <summary>Marks the method that is the workflow's code. Exactly one, public, returning a task.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class WorkflowRunAttribute : Attribute
{
}

/// <summary>Marks the constructor that takes the run method's arguments.</summary>
[AttributeUsage(AttributeTargets.Constructor, Inherited = false)]
public sealed class WorkflowInitAttribute : Attribute
{
}

/// <summary>Marks a signal handler: a public method that returns <see cref="Task"/>.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class WorkflowSignalAttribute : Attribute
{
    /// <summary>A signal named as its method, without a trailing <c>Async</c>.</summary>
    public WorkflowSignalAttribute()
    {
    }

    /// <summary>A signal of this name.</summary>
    public WorkflowSignalAttribute(string name) => Name = name;

    /// <summary>Name, if it is not the method's.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the signals for which there is no other handler; parameters are the name and <c>IRawValue[]</c>.</summary>
    public bool Dynamic { get; set; }

    /// <summary>What it is for, as tools show it.</summary>
    public string? Description { get; set; }

    /// <summary>What to do when the workflow ends while the handler runs.</summary>
    public HandlerUnfinishedPolicy UnfinishedPolicy { get; set; } = HandlerUnfinishedPolicy.WarnAndAbandon;
}

/// <summary>Marks a query handler: a public method or property that returns a value, not a task, and changes nothing.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property, Inherited = false)]
public sealed class WorkflowQueryAttribute : Attribute
{
    /// <summary>A query named as its method or property.</summary>
    public WorkflowQueryAttribute()
    {
    }

    /// <summary>A query of this name.</summary>
    public WorkflowQueryAttribute(string name) => Name = name;

    /// <summary>Name, if it is not the member's.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the queries for which there is no other handler; parameters are the name and <c>IRawValue[]</c>.</summary>
    public bool Dynamic { get; set; }

    /// <summary>What it is for, as tools show it.</summary>
    public string? Description { get; set; }
}

/// <summary>Marks an update handler: a public method that returns a task.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class WorkflowUpdateAttribute : Attribute
{
    /// <summary>An update named as its method, without a trailing <c>Async</c>.</summary>
    public WorkflowUpdateAttribute()
    {
    }

    /// <summary>An update of this name.</summary>
    public WorkflowUpdateAttribute(string name) => Name = name;

    /// <summary>Name, if it is not the method's.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the updates for which there is no other handler; parameters are the name and <c>IRawValue[]</c>.</summary>
    public bool Dynamic { get; set; }

    /// <summary>What it is for, as tools show it.</summary>
    public string? Description { get; set; }

    /// <summary>What to do when the workflow ends while the handler runs.</summary>
    public HandlerUnfinishedPolicy UnfinishedPolicy { get; set; } = HandlerUnfinishedPolicy.WarnAndAbandon;
}

/// <summary>Marks the validator of an update: same parameters, returns nothing, changes nothing; an exception rejects the update.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class WorkflowUpdateValidatorAttribute : Attribute
{
    /// <summary>A validator.</summary>
    /// <param name="updateMethod">Name of the update's method.</param>
    public WorkflowUpdateValidatorAttribute(string updateMethod) => UpdateMethod = updateMethod;

    /// <summary>Name of the update's method.</summary>
    public string UpdateMethod { get; }
}

/// <summary>What to do when a workflow ends while a handler runs.</summary>
public enum HandlerUnfinishedPolicy
{
    /// <summary>Log a warning.</summary>
    WarnAndAbandon,

    /// <summary>Say nothing.</summary>
    Abandon,
}
