using System.Reflection;
using System.Runtime.ExceptionServices;
using Temporalio.Converters;

namespace Temporalio.Workflows;

/// <summary>A workflow that a worker can run: its name, its run method and its handlers.</summary>
public class WorkflowDefinition
{
    private readonly Func<object?[], object>? instanceFactory;
    private readonly ConstructorInfo? initConstructor;

    private WorkflowDefinition(Type type, string? name, MethodInfo runMethod, ConstructorInfo? initConstructor, Func<object?[], object>? instanceFactory)
    {
        Type = type;
        Name = name;
        RunMethod = runMethod;
        this.initConstructor = initConstructor;
        this.instanceFactory = instanceFactory;
        FailureExceptionTypes = type.GetCustomAttribute<WorkflowAttribute>()?.FailureExceptionTypes ?? [];
        (Signals, DynamicSignal) = HandlerScan.Signals(type);
        (Queries, DynamicQuery) = HandlerScan.Queries(type);
        (Updates, DynamicUpdate) = HandlerScan.Updates(type);
    }

    /// <summary>The class.</summary>
    public Type Type { get; }

    /// <summary>Name; null for the dynamic workflow.</summary>
    public string? Name { get; }

    /// <summary>Whether it takes the types for which no other workflow is registered.</summary>
    public bool Dynamic => Name is null;

    /// <summary>The method that is the workflow's code.</summary>
    public MethodInfo RunMethod { get; }

    /// <summary>Signal handlers by name.</summary>
    public IReadOnlyDictionary<string, WorkflowSignalDefinition> Signals { get; }

    /// <summary>Handler of the other signals.</summary>
    public WorkflowSignalDefinition? DynamicSignal { get; }

    /// <summary>Query handlers by name.</summary>
    public IReadOnlyDictionary<string, WorkflowQueryDefinition> Queries { get; }

    /// <summary>Handler of the other queries.</summary>
    public WorkflowQueryDefinition? DynamicQuery { get; }

    /// <summary>Update handlers by name.</summary>
    public IReadOnlyDictionary<string, WorkflowUpdateDefinition> Updates { get; }

    /// <summary>Handler of the other updates.</summary>
    public WorkflowUpdateDefinition? DynamicUpdate { get; }

    /// <summary>Exceptions that fail the workflow rather than the workflow task.</summary>
    public IReadOnlyCollection<Type> FailureExceptionTypes { get; }

    /// <summary>The definition of a workflow class.</summary>
    /// <exception cref="ArgumentException">The class is no valid workflow; the message says why.</exception>
    public static WorkflowDefinition Create(Type type) => Create(type, null, null);

    /// <summary>The definition of a workflow class, with another name or another way to create instances.</summary>
    /// <exception cref="ArgumentException">The class is no valid workflow; the message says why.</exception>
    public static WorkflowDefinition Create(Type type, string? nameOverride, Func<object?[], object>? instanceFactory)
    {
        var attribute = type.GetCustomAttribute<WorkflowAttribute>()
            ?? throw new ArgumentException($"{type} is missing the Workflow attribute");
        var runs = type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.FlattenHierarchy)
            .Where(method => method.GetCustomAttribute<WorkflowRunAttribute>() is not null).ToArray();
        if (runs.Length != 1)
        {
            throw new ArgumentException($"{type} must have exactly one public method with the WorkflowRun attribute, has {runs.Length}");
        }
        var run = runs[0];
        if (!typeof(Task).IsAssignableFrom(run.ReturnType))
        {
            throw new ArgumentException($"WorkflowRun method {type}.{run.Name} must return a Task");
        }
        if (attribute.Dynamic && !run.GetParameters().Select(parameter => parameter.ParameterType).SequenceEqual([typeof(IRawValue[])]))
        {
            throw new ArgumentException($"WorkflowRun method {type}.{run.Name} of a dynamic workflow must take one IRawValue[]");
        }
        var init = type.GetConstructors().FirstOrDefault(constructor => constructor.GetCustomAttribute<WorkflowInitAttribute>() is not null);
        var runParameters = run.GetParameters().Select(parameter => parameter.ParameterType);
        if (init is not null && !init.GetParameters().Select(parameter => parameter.ParameterType).SequenceEqual(runParameters))
        {
            throw new ArgumentException($"WorkflowInit constructor of {type} must have the parameters of {run.Name}");
        }
        return new(type, attribute.Dynamic ? null : nameOverride ?? NameOf(type, attribute), run, init, instanceFactory);
    }

    internal static string NameOf(Type type) => NameOf(
        type, type.GetCustomAttribute<WorkflowAttribute>() ?? throw new ArgumentException($"{type} is missing the Workflow attribute"));


    internal object CreateInstance(object?[] arguments)
    {
        try
        {
            return instanceFactory?.Invoke(arguments) ?? initConstructor?.Invoke(arguments) ?? Activator.CreateInstance(Type)!;
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
    }

    private static string NameOf(Type type, WorkflowAttribute attribute)
    {
        if (attribute.Name is { } name)
        {
            return name;
        }
        return type.IsInterface && type.Name.Length > 1 && type.Name[0] == 'I' && char.IsUpper(type.Name[1]) ? type.Name[1..] : type.Name;
    }
}
