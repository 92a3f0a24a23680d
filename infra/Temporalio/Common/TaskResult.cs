using System.Collections.Concurrent;
using System.Reflection;

namespace Temporalio.Common;

/// <summary>The value behind an untyped return value that may be a task.</summary>
internal static class TaskResult
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo?> ResultProperties = new();

    /// <summary>Waits for a task and gives its result; a task without a result gives null, anything else is itself.</summary>
    public static async Task<object?> UnwrapAsync(object? returned)
    {
        if (returned is ValueTask valueTask)
        {
            await valueTask;
            return null;
        }
        if (returned is not Task task)
        {
            return returned;
        }
        await task;
        return ResultProperties.GetOrAdd(task.GetType(), FindResult)?.GetValue(task);
    }

    // An async method without a result returns a Task<VoidTaskResult>, which is an implementation detail of .NET.
    private static PropertyInfo? FindResult(Type taskType)
    {
        for (var type = taskType; type is not null; type = type.BaseType)
        {
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
            {
                return type.GetGenericArguments()[0].Name == "VoidTaskResult" ? null : type.GetProperty(nameof(Task<object>.Result));
            }
        }
        return null;
    }
}
