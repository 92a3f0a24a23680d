using System.Reflection;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>A signal handler.</summary>
public class WorkflowSignalDefinition
{
    private WorkflowSignalDefinition(string? name, string? description, MethodInfo? method, Delegate? del, HandlerUnfinishedPolicy policy) =>
        (Name, Description, Method, Delegate, UnfinishedPolicy) = (name, description, method, del, policy);

    /// <summary>Name; null for the dynamic handler.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the signals for which there is no other handler.</summary>
    public bool Dynamic => Name is null;

    /// <summary>What it is for.</summary>
    public string? Description { get; }

    /// <summary>What to do when the workflow ends while the handler runs.</summary>
    public HandlerUnfinishedPolicy UnfinishedPolicy { get; }

    internal MethodInfo? Method { get; }

    internal Delegate? Delegate { get; }

    /// <summary>The definition of a method with <see cref="WorkflowSignalAttribute"/>.</summary>
    /// <exception cref="ArgumentException">The method is no valid handler.</exception>
    public static WorkflowSignalDefinition FromMethod(MethodInfo method)
    {
        var attribute = AttributeOf(method);
        if (method.ReturnType != typeof(Task) || !method.IsPublic || method.IsStatic)
        {
            throw new ArgumentException($"WorkflowSignal method {method.DeclaringType}.{method.Name} must be public, not static, and return Task");
        }
        return new(attribute.Dynamic ? null : NameFromMethod(method), attribute.Description, method, null, attribute.UnfinishedPolicy);
    }

    /// <summary>A handler that is added while the workflow runs.</summary>
    /// <param name="name">Name; null for the dynamic handler.</param>
    /// <param name="del">The handler, returning <see cref="Task"/>.</param>
    /// <param name="description">What it is for.</param>
    public static WorkflowSignalDefinition CreateWithoutAttribute(string? name, Delegate del, string? description = null) =>
        new(name, description, null, del, HandlerUnfinishedPolicy.WarnAndAbandon);

    internal static string NameFromMethod(MethodInfo method) => AttributeOf(method).Name ?? MethodNames.WithoutAsync(method);

    private static WorkflowSignalAttribute AttributeOf(MethodInfo method) => method.GetCustomAttribute<WorkflowSignalAttribute>()
        ?? throw new ArgumentException($"{method.DeclaringType}.{method.Name} is missing the WorkflowSignal attribute");
}
