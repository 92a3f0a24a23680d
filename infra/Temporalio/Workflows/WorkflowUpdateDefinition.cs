using System.Reflection;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <summary>An update handler.</summary>
public class WorkflowUpdateDefinition
{
    private WorkflowUpdateDefinition(
        string? name, string? description, MethodInfo? method, MethodInfo? validatorMethod, Delegate? del, Delegate? validatorDelegate, HandlerUnfinishedPolicy policy)
    {
        Name = name;
        Description = description;
        Method = method;
        ValidatorMethod = validatorMethod;
        Delegate = del;
        ValidatorDelegate = validatorDelegate;
        UnfinishedPolicy = policy;
    }

    /// <summary>Name; null for the dynamic handler.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the updates for which there is no other handler.</summary>
    public bool Dynamic => Name is null;

    /// <summary>What it is for.</summary>
    public string? Description { get; }

    /// <summary>What to do when the workflow ends while the handler runs.</summary>
    public HandlerUnfinishedPolicy UnfinishedPolicy { get; }

    internal MethodInfo? Method { get; }

    internal MethodInfo? ValidatorMethod { get; }

    internal Delegate? Delegate { get; }

    internal Delegate? ValidatorDelegate { get; }

    /// <summary>The definition of a method with <see cref="WorkflowUpdateAttribute"/>.</summary>
    /// <exception cref="ArgumentException">The method or its validator is not valid.</exception>
    public static WorkflowUpdateDefinition FromMethod(MethodInfo method, MethodInfo? validatorMethod = null)
    {
        var attribute = AttributeOf(method);
        if (!typeof(Task).IsAssignableFrom(method.ReturnType) || !method.IsPublic || method.IsStatic)
        {
            throw new ArgumentException($"WorkflowUpdate method {method.DeclaringType}.{method.Name} must be public, not static, and return a Task");
        }
        if (validatorMethod is not null && (validatorMethod.ReturnType != typeof(void) || !Types(validatorMethod).SequenceEqual(Types(method))))
        {
            throw new ArgumentException($"WorkflowUpdateValidator method {method.DeclaringType}.{validatorMethod.Name} must return void and have the parameters of {method.Name}");
        }
        return new(attribute.Dynamic ? null : NameFromMethod(method), attribute.Description, method, validatorMethod, null, null, attribute.UnfinishedPolicy);
    }

    /// <summary>A handler that is added while the workflow runs.</summary>
    /// <param name="name">Name; null for the dynamic handler.</param>
    /// <param name="del">The handler, returning a task.</param>
    /// <param name="validatorDel">Validator of the same parameters.</param>
    /// <param name="description">What it is for.</param>
    public static WorkflowUpdateDefinition CreateWithoutAttribute(string? name, Delegate del, Delegate? validatorDel = null, string? description = null) =>
        new(name, description, null, null, del, validatorDel, HandlerUnfinishedPolicy.WarnAndAbandon);

    internal static string NameFromMethod(MethodInfo method) => AttributeOf(method).Name ?? MethodNames.WithoutAsync(method);

    private static IEnumerable<Type> Types(MethodInfo method) => method.GetParameters().Select(parameter => parameter.ParameterType);

    private static WorkflowUpdateAttribute AttributeOf(MethodInfo method) => method.GetCustomAttribute<WorkflowUpdateAttribute>()
        ?? throw new ArgumentException($"{method.DeclaringType}.{method.Name} is missing the WorkflowUpdate attribute");
}
