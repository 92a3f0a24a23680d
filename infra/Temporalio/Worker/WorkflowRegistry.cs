using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <summary>The workflows of a worker by name.</summary>
internal sealed class WorkflowRegistry
{
    private readonly Dictionary<string, WorkflowDefinition> byName = [];
    private readonly WorkflowDefinition? dynamic;

    /// <exception cref="ArgumentException">A name is registered twice.</exception>
    public WorkflowRegistry(IEnumerable<WorkflowDefinition> definitions)
    {
        foreach (var definition in definitions)
        {
            if (definition.Name is null)
            {
                dynamic = dynamic is null ? definition : throw new ArgumentException("Multiple dynamic workflows provided");
            }
            else if (!byName.TryAdd(definition.Name, definition))
            {
                throw new ArgumentException($"Duplicate workflow named {definition.Name}");
            }
        }
    }

    /// <exception cref="InvalidOperationException">There is no such workflow.</exception>
    public WorkflowDefinition Find(string name) => byName.GetValueOrDefault(name) ?? dynamic ?? throw new InvalidOperationException(
        $"Workflow type {name} is not registered on this worker, available workflows: {string.Join(", ", byName.Keys.Order(StringComparer.Ordinal))}");
}
