using Temporalio.Exceptions;
using Temporalio.Workflows;

namespace Alt.Tests.Infra.Temporal;

[Workflow]
public class Basket
{
    private readonly List<string> fruit = [];
    private bool closed;

    [WorkflowQuery]
    public int Count => fruit.Count;

    [WorkflowRun]
    public async Task<string> RunAsync()
    {
        await Workflow.WaitConditionAsync(() => closed);
        return string.Join(", ", fruit);
    }

    [WorkflowSignal]
    public Task AddAsync(string name)
    {
        fruit.Add(name);
        return Task.CompletedTask;
    }

    [WorkflowSignal]
    public Task CloseAsync()
    {
        closed = true;
        return Task.CompletedTask;
    }

    [WorkflowUpdate]
    public async Task<int> PutAsync(string name)
    {
        await Workflow.DelayAsync(1);
        fruit.Add(name);
        return fruit.Count;
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
    public string At(int index) => fruit[index];
}
