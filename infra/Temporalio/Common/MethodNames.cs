using System.Reflection;

namespace Temporalio.Common;

/// <summary>Names that Temporal sees, from the names of methods.</summary>
internal static class MethodNames
{
    /// <summary>The method's name; without <c>Async</c> at its end if it returns a task.</summary>
    public static string WithoutAsync(MethodInfo method) =>
        typeof(Task).IsAssignableFrom(method.ReturnType) && method.Name.Length > 5 && method.Name.EndsWith("Async", StringComparison.Ordinal)
            ? method.Name[..^5]
            : method.Name;
}
