using Grpc.Core;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class DeletionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_deleted_workflow_leaves_nothing_behind(bool running)
    {
        var worker = new HandWorker(server.Client);
        var runId = (await worker.StartAsync()).RunId;
        if (!running)
        {
            await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());
        }

        await server.Client.CallAsync<DeleteWorkflowExecutionResponse>(
            new DeleteWorkflowExecutionRequest { Namespace = "default", WorkflowExecution = worker.Execution });

        await Wait.ForAsync(async () => await RowsAsync(runId) == 0, "an empty database");
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => worker.StatusAsync())).StatusCode);
    }

    [Fact]
    public async Task The_parent_of_a_deleted_child_hears_of_its_end()
    {
        var parent = new HandWorker(server.Client);
        var child = parent.Child();
        await parent.StartAsync();
        await parent.AnswerAsync(await parent.WorkflowTaskAsync(), parent.StartChild(child));
        await child.WorkflowTaskAsync();

        await server.Client.CallAsync<DeleteWorkflowExecutionResponse>(
            new DeleteWorkflowExecutionRequest { Namespace = "default", WorkflowExecution = child.Execution });

        await Wait.ForAsync(
            async () => (await parent.EventsAsync()).Contains(EventType.ChildWorkflowExecutionTerminated),
            "the child's end in its parent's history");
    }

    [Fact]
    public async Task Closed_runs_go_when_their_namespace_has_kept_them_long_enough()
    {
        var old = await CompletedAsync();
        var open = (await new HandWorker(server.Client).StartAsync()).RunId;
        await server.RestartAsync(later: TimeSpan.FromDays(2));
        var recent = await CompletedAsync();

        await server.RestartAsync(later: TimeSpan.FromDays(31));

        await Wait.ForAsync(async () => await RowsAsync(old) == 0, "room after the retention time");
        Assert.NotEqual(0, await RowsAsync(recent));
        Assert.NotEqual(0, await RowsAsync(open));
        await server.RestartAsync();
    }

    private async Task<string> CompletedAsync()
    {
        var worker = new HandWorker(server.Client);
        var runId = (await worker.StartAsync()).RunId;
        await worker.AnswerAsync(await worker.WorkflowTaskAsync(), HandWorker.Complete());
        return runId;
    }

    private async Task<long> RowsAsync(string runId)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        string[] tables = ["executions", "current_executions", "history", "visibility"];
        await using var command = source.CreateCommand(
            $"SELECT {string.Join(" + ", tables.Select(t => $"(SELECT count(*) FROM temporal.{t} WHERE run_id = $1)"))}");
        command.Parameters.Add(new() { Value = Guid.Parse(runId) });
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
