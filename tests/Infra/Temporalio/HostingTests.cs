using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Temporalio.Activities;
using Temporalio.Client;
using Temporalio.Extensions.Hosting;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Workers in a generic host, with activities from its services.</summary>
public sealed class HostingTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    [Fact]
    public async Task A_hosted_worker_creates_its_activities_in_a_scope_per_call()
    {
        var queue = $"queue-{Guid.NewGuid()}";
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Services.AddScoped<Visit>();
        builder.Services.AddTemporalClient(temporal.Server.Address, "default");
        builder.Services.AddHostedTemporalWorker(queue)
            .AddWorkflow<WorkflowExecutionTests.Greeting>()
            .AddScopedActivities<Receptionist>()
            .ConfigureOptions(options => options.MaxConcurrentActivities = 2);
        using var host = builder.Build();
        await host.StartAsync();
        var client = host.Services.GetRequiredService<ITemporalClient>();

        var first = await client.ExecuteWorkflowAsync((WorkflowExecutionTests.Greeting wf) => wf.RunAsync("Ada"), TemporalFixture.NewWorkflow(queue));
        var second = await client.ExecuteWorkflowAsync((WorkflowExecutionTests.Greeting wf) => wf.RunAsync("Bob"), TemporalFixture.NewWorkflow(queue));
        await host.StopAsync();

        Assert.Equal("Ada is guest 1 of this visit!", first);
        Assert.Equal("Bob is guest 1 of this visit!", second);
        Assert.Equal(2, Visit.Ended);
    }

    public sealed class Visit : IDisposable
    {
        private static int ended;
        private int guests;

        public static int Ended => ended;

        public int Welcome() => ++guests;

        public void Dispose() => Interlocked.Increment(ref ended);
    }

    public class Receptionist(Visit visit)
    {
        [Activity]
        public async Task<string> GreetAsync(string name)
        {
            await Task.Yield();
            return $"{name} is guest {visit.Welcome()} of this visit";
        }
    }
}
