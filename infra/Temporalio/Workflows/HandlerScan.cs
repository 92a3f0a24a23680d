using System.Reflection;

namespace Temporalio.Workflows;

/// <summary>Finds the handlers of a workflow class.</summary>
internal static class HandlerScan
{
    private const BindingFlags Everything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.FlattenHierarchy;

    public static (IReadOnlyDictionary<string, WorkflowSignalDefinition>, WorkflowSignalDefinition?) Signals(Type type) => ByName(
        Methods<WorkflowSignalAttribute>(type).Select(method => WorkflowSignalDefinition.FromMethod(method)), handler => handler.Name, type);

    public static (IReadOnlyDictionary<string, WorkflowQueryDefinition>, WorkflowQueryDefinition?) Queries(Type type) => ByName(
        Methods<WorkflowQueryAttribute>(type).Select(WorkflowQueryDefinition.FromMethod).Concat(
            type.GetProperties(Everything).Where(property => property.GetCustomAttribute<WorkflowQueryAttribute>() is not null).Select(WorkflowQueryDefinition.FromProperty)),
        handler => handler.Name,
        type);

    public static (IReadOnlyDictionary<string, WorkflowUpdateDefinition>, WorkflowUpdateDefinition?) Updates(Type type)
    {
        var validators = Methods<WorkflowUpdateValidatorAttribute>(type)
            .ToDictionary(method => method.GetCustomAttribute<WorkflowUpdateValidatorAttribute>()!.UpdateMethod);
        var updates = Methods<WorkflowUpdateAttribute>(type).ToArray();
        if (validators.Keys.Except(updates.Select(method => method.Name)).FirstOrDefault() is { } orphan)
        {
            throw new ArgumentException($"{type} has a validator for {orphan}, which is no update method");
        }
        return ByName(updates.Select(method => WorkflowUpdateDefinition.FromMethod(method, validators.GetValueOrDefault(method.Name))), handler => handler.Name, type);
    }

    private static IEnumerable<MethodInfo> Methods<TAttribute>(Type type)
        where TAttribute : Attribute => type.GetMethods(Everything).Where(method => method.GetCustomAttribute<TAttribute>() is not null);

    private static (IReadOnlyDictionary<string, T>, T?) ByName<T>(IEnumerable<T> handlers, Func<T, string?> nameOf, Type type)
        where T : class
    {
        var named = new Dictionary<string, T>();
        T? dynamic = null;
        foreach (var handler in handlers)
        {
            if (nameOf(handler) is { } name)
            {
                if (!named.TryAdd(name, handler))
                {
                    throw new ArgumentException($"{type} has more than one handler named {name}");
                }
            }
            else
            {
                dynamic = dynamic is null ? handler : throw new ArgumentException($"{type} has more than one dynamic handler");
            }
        }
        return (named, dynamic);
    }
}
