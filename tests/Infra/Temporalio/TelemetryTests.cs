using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Temporalio.Client;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Metrics under the names that all SDKs use.</summary>
public sealed class TelemetryTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    [Fact]
    public async Task A_workflow_with_an_activity_is_counted_and_timed()
    {
        var seen = new ConcurrentDictionary<string, double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Temporalio")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            },
        };
        void Note(Instrument instrument, double value) => seen.AddOrUpdate(instrument.Name, value, (_, sum) => sum + value);
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Note(instrument, value));
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => Note(instrument, value));
        listener.Start();

        await temporal.RunWorkerAsync(
            options => options.AddWorkflow<WorkflowExecutionTests.Greeting>().AddAllActivities(new WorkflowExecutionTests.Activities()),
            queue => temporal.Client.ExecuteWorkflowAsync((WorkflowExecutionTests.Greeting wf) => wf.RunAsync("Ada"), TemporalFixture.NewWorkflow(queue)));

        Assert.All(
            ["temporal_request", "temporal_request_latency", "temporal_workflow_task_execution_latency", "temporal_activity_execution_latency", "temporal_sticky_cache_miss"],
            name => Assert.True(seen.GetValueOrDefault(name) > 0, name));
    }
}
