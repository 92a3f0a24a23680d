using System.Reflection;

namespace Temporalio.Workflows;

/// <summary>A query handler.</summary>
public class WorkflowQueryDefinition
{
    private WorkflowQueryDefinition(string? name, string? description, MethodInfo? method, Delegate? del) =>
        (Name, Description, Method, Delegate) = (name, description, method, del);

    /// <summary>Name; null for the dynamic handler.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the queries for which there is no other handler.</summary>
    public bool Dynamic => Name is null;

    /// <summary>What it is for.</summary>
    public string? Description { get; }

    internal MethodInfo? Method { get; }

    internal Delegate? Delegate { get; }

    /// <summary>The definition of a method with <see cref="WorkflowQueryAttribute"/>.</summary>
    /// <exception cref="ArgumentException">The method is no valid handler.</exception>
    public static WorkflowQueryDefinition FromMethod(MethodInfo method)
    {
        var attribute = AttributeOf(method);
        if (method.ReturnType == typeof(void) || typeof(Task).IsAssignableFrom(method.ReturnType) || !method.IsPublic || method.IsStatic)
        {
            throw new ArgumentException($"WorkflowQuery method {method.DeclaringType}.{method.Name} must be public, not static, and return a value that is no task");
        }
        return new(attribute.Dynamic ? null : NameFrom(method), attribute.Description, method, null);
    }

    /// <summary>The definition of a property with <see cref="WorkflowQueryAttribute"/>.</summary>
    /// <exception cref="ArgumentException">The property is no valid handler.</exception>
    public static WorkflowQueryDefinition FromProperty(PropertyInfo property)
    {
        var attribute = AttributeOf(property);
        var getter = property.GetGetMethod() ?? throw new ArgumentException($"WorkflowQuery property {property.DeclaringType}.{property.Name} must have a public getter");
        return new(NameFrom(property), attribute.Description, getter, null);
    }

    /// <summary>A handler that is added while the workflow runs.</summary>
    /// <param name="name">Name; null for the dynamic handler.</param>
    /// <param name="del">The handler.</param>
    /// <param name="description">What it is for.</param>
    public static WorkflowQueryDefinition CreateWithoutAttribute(string? name, Delegate del, string? description = null) => new(name, description, null, del);

    internal static string NameFrom(MemberInfo member) => AttributeOf(member).Name ?? member.Name;

    private static WorkflowQueryAttribute AttributeOf(MemberInfo member) => member.GetCustomAttribute<WorkflowQueryAttribute>()
        ?? throw new ArgumentException($"{member.DeclaringType}.{member.Name} is missing the WorkflowQuery attribute");
}
