using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporal;

[Workflow]
public class Basket
{
    private readonly List<string> _fruit = [];
    private bool _closed;

    [WorkflowQuery]
    public int Count => _fruit.Count;

    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => _closed);
        return string.Join(", ", _fruit);
    }

    [WorkflowSignal]
    public Task AddAsync(string name)
    {
        _fruit.Add(name);
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task CloseAsync()
    {
        _closed = true;
        return Task.CompletedTask;
    }

    [WorkflowUpdate]
    public async Task<int> PutAsync(string name)
    {
        await Workflow.DelayAsync(1);
        _fruit.Add(name);
        return _fruit.Count;
    }

    [WorkflowUpdateValidator(nameof(PutAsync))]
    public void ValidatePut(string name)
    {
        if (name == "stone")
        {
            throw new ApplicationFailureException("stone is no fruit");
        }
    }

    [WorkflowQuery]
    public string At(int index) => _fruit[index];
}
