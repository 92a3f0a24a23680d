using Temporalio.Activities;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>The activities of a worker by name.</summary>
internal sealed class ActivityRegistry
{
    private readonly Dictionary<string, ActivityDefinition> byName = [];
    private readonly ActivityDefinition? dynamic;

    /// <exception cref="ArgumentException">A name is registered twice.</exception>
    public ActivityRegistry(IEnumerable<ActivityDefinition> definitions)
    {
        foreach (var definition in definitions)
        {
            if (definition.Name is null)
            {
                dynamic = dynamic is null ? definition : throw new ArgumentException("Multiple dynamic activities provided");
            }
            else if (!byName.TryAdd(definition.Name, definition))
            {
                throw new ArgumentException($"Duplicate activity named {definition.Name}");
            }
        }
    }

    /// <exception cref="ApplicationFailureException">There is no such activity; retryable, since another worker may have it.</exception>
    public ActivityDefinition Find(string name) => byName.GetValueOrDefault(name) ?? dynamic ?? throw new ApplicationFailureException(
        $"Activity {name} is not registered on this worker, available activities: {string.Join(", ", byName.Keys.Order(StringComparer.Ordinal))}",
        errorType: "NotFoundError");
}
