using System.Reflection;
using System.Runtime.ExceptionServices;
using Temporalio.Common;
using Temporalio.Converters;

namespace Temporalio.Activities;

/// <summary>An activity that a worker can run: its name, its parameters and how to call it.</summary>
public class ActivityDefinition
{
    private readonly Func<object?[], object?> invoker;

    private ActivityDefinition(
        string? name, Type returnType, IReadOnlyCollection<Type> parameterTypes, int requiredParameterCount, object?[] defaults, Func<object?[], object?> invoker)
    {
        Name = name;
        ReturnType = returnType;
        ParameterTypes = parameterTypes;
        RequiredParameterCount = requiredParameterCount;
        Defaults = defaults;
        this.invoker = invoker;
    }

    /// <summary>Name; null for the dynamic activity.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the calls for which no other activity is registered.</summary>
    public bool Dynamic => Name is null;

    /// <summary>Return type of the method.</summary>
    public Type ReturnType { get; }

    /// <summary>Types of the parameters.</summary>
    public IReadOnlyCollection<Type> ParameterTypes { get; }

    /// <summary>How many arguments a caller must give.</summary>
    public int RequiredParameterCount { get; }

    /// <summary>Values of the optional parameters, by position; null before them.</summary>
    internal object?[] Defaults { get; }

    /// <summary>A definition from a delegate to a method with <see cref="ActivityAttribute"/>.</summary>
    /// <exception cref="ArgumentException">The method lacks the attribute or has a parameter by reference.</exception>
    public static ActivityDefinition Create(Delegate del) => Create(del.Method, arguments => del.DynamicInvoke(arguments));

    /// <summary>A definition from a method with <see cref="ActivityAttribute"/> and a way to call it.</summary>
    /// <exception cref="ArgumentException">The method lacks the attribute or has a parameter by reference.</exception>
    public static ActivityDefinition Create(MethodInfo method, Func<object?[], object?> invoker)
    {
        var parameters = method.GetParameters();
        if (parameters.Any(parameter => parameter.ParameterType.IsByRef))
        {
            throw new ArgumentException($"Activity method {method.DeclaringType}.{method.Name} has a parameter by reference");
        }
        var attribute = AttributeOf(method);
        if (attribute.Dynamic && (parameters.Length != 1 || parameters[0].ParameterType != typeof(IRawValue[])))
        {
            throw new ArgumentException($"Dynamic activity method {method.DeclaringType}.{method.Name} must take one IRawValue[]");
        }
        return new(
            attribute.Dynamic ? null : NameFromMethod(method),
            method.ReturnType,
            parameters.Select(parameter => parameter.ParameterType).ToArray(),
            parameters.Count(parameter => !parameter.HasDefaultValue),
            parameters.Select(parameter => parameter.HasDefaultValue ? parameter.DefaultValue : null).ToArray(),
            invoker);
    }

    /// <summary>A definition from its parts.</summary>
    public static ActivityDefinition Create(
        string name, Type returnType, IReadOnlyCollection<Type> parameterTypes, int requiredParameterCount, Func<object?[], object?> invoker) =>
        new(name, returnType, parameterTypes, requiredParameterCount, new object?[parameterTypes.Count], invoker);

    /// <summary>Definitions of all methods of a type with <see cref="ActivityAttribute"/>.</summary>
    /// <param name="type">The type.</param>
    /// <param name="instance">Target of the instance methods; may be null if all are static.</param>
    /// <exception cref="ArgumentException">There are none, or an instance is missing.</exception>
    public static IReadOnlyCollection<ActivityDefinition> CreateAll(Type type, object? instance)
    {
        var definitions = new List<ActivityDefinition>();
        foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance))
        {
            if (method.GetCustomAttribute<ActivityAttribute>() is null)
            {
                continue;
            }
            if (!method.IsStatic && instance is null)
            {
                throw new ArgumentException($"Instance not provided, but activity method {type}.{method.Name} is not static");
            }
            definitions.Add(Create(method, arguments => method.Invoke(method.IsStatic ? null : instance, arguments)));
        }
        return definitions.Count > 0 ? definitions : throw new ArgumentException($"No activities found on {type}");
    }

    /// <summary>Calls the activity and waits for it.</summary>
    /// <returns>Its result; null where the method returns none.</returns>
    public async Task<object?> InvokeAsync(object?[] parameters)
    {
        object? result;
        try
        {
            result = invoker(parameters);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
        return await TaskResult.UnwrapAsync(result);
    }

    internal static string NameFromMethod(MethodInfo method) => AttributeOf(method).Name ?? MethodNames.WithoutAsync(method);

    private static ActivityAttribute AttributeOf(MethodInfo method) => method.GetCustomAttribute<ActivityAttribute>()
        ?? throw new ArgumentException($"{method.DeclaringType}.{method.Name} is missing the Activity attribute");
}
