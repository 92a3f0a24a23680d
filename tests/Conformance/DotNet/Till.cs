using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Conformance.DotNet;

/// <summary>A workflow with each kind of message, to be used by several scenarios.</summary>
[Workflow]
public class Till
{
    private readonly List<string> _items = [];
    private bool _open, _closed;

    [WorkflowQuery]
    public IReadOnlyList<string> Items => _items;

    [WorkflowRun]
    public async Task<List<string>> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => _closed);
        return _items;
    }

    [WorkflowSignal]
    public Task OpenAsync()
    {
        _open = true;
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task CloseAsync()
    {
        _closed = true;
        return Task.CompletedTask;
    }

    [WorkflowUpdate]
    public Task<int> PutAsync(string item)
    {
        _items.Add(item);
        return Task.FromResult(_items.Count);
    }

    [WorkflowUpdateValidator(nameof(PutAsync))]
    public void ValidatePut(string item)
    {
        if (item.Length == 0)
        {
            throw new ApplicationFailureException("an item needs a name", errorType: "Invalid");
        }
    }

    /// <summary>Accepted at once; completed by an activity.</summary>
    [WorkflowUpdate]
    public async Task<string> PriceAsync(string item)
    {
        var priced = await Workflow.ExecuteActivityAsync(() => Price(item), new() { StartToCloseTimeout = TimeSpan.FromMinutes(1) });
        _items.Add(priced);
        return priced;
    }

    /// <summary>Accepted at once; completed when the till is open.</summary>
    [WorkflowUpdate]
    public async Task<string> QueueAsync(string customer)
    {
        await Workflow.WaitConditionAsync(() => _open);
        return $"{customer} is served";
    }

    [WorkflowUpdate]
    public async Task FailAsync()
    {
        await Workflow.DelayAsync(1);
        throw new ApplicationFailureException("accepted, then failed", errorType: "Late", details: [2]);
    }

    [Activity]
    public static string Price(string item) => $"{item}: {item.Length}";
}
