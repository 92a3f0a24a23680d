using Alt.Domain;
using Alt.Host;
using Alt.Workflows;

namespace Alt.Tests.Infra.Temporal;

public sealed class WorkerSettingsTests
{
    [Fact]
    public void Without_a_word_judges_share_and_a_model_has_its_device_to_itself()
    {
        var settings = WorkerSettings.Default;

        Assert.Equal((4, 1, 2), (settings.Slots[TaskQueues.Main], settings.Slots[TaskQueues.Gpu], settings.Slots[TaskQueues.Feedback]));
        Assert.Equal(
            (4, 1, 5), (settings.Pollers[TaskQueues.Main], settings.Pollers[TaskQueues.Gpu], settings.Pollers[WorkerSettings.Workflows]));
        Assert.Null(settings.Metrics);
    }

    [Fact]
    public void Slots_pollers_and_cache_can_be_set()
    {
        var settings = Parse(
            (WorkerFlags.SlotsName, "alt-feedback=16, workflows=8"), (WorkerFlags.PollersName, "alt-feedback=3"),
            (WorkerFlags.CacheName, "0"));

        Assert.Equal(
            (16, 8, 4), (settings.Slots[TaskQueues.Feedback], settings.Slots[WorkerSettings.Workflows], settings.Slots[TaskQueues.Main]));
        Assert.Equal((3, 5), (settings.Pollers[TaskQueues.Feedback], settings.Pollers[WorkerSettings.Workflows]));
        Assert.Equal(0, settings.CachedWorkflows);
    }

    [Fact]
    public void Metrics_go_to_prometheus_or_to_a_collector()
    {
        Assert.Equal("127.0.0.1:9464", Parse((WorkerFlags.PrometheusName, "127.0.0.1:9464")).Metrics!.Prometheus!.BindAddress);
        Assert.Equal(new Uri("http://127.0.0.1:4317"), Parse((WorkerFlags.OtlpName, "http://127.0.0.1:4317")).Metrics!.OpenTelemetry!.Url);
        Assert.Contains(
            "one of them", Refusal((WorkerFlags.PrometheusName, "127.0.0.1:9464"), (WorkerFlags.OtlpName, "http://127.0.0.1:4317")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(WorkerFlags.SlotsName, "elsewhere=2", "expected WORK=N, where WORK is one of workflows, alt, alt-gpu, alt-feedback")]
    [InlineData(WorkerFlags.SlotsName, "alt", "expected WORK=N")]
    [InlineData(WorkerFlags.SlotsName, "alt=0", "'0' is no number of 1 or more")]
    [InlineData(WorkerFlags.SlotsName, "alt-gpu=2", "a model has its device to itself")]
    [InlineData(WorkerFlags.PollersName, "alt=-1", "'-1' is no number of 1 or more")]
    [InlineData(WorkerFlags.CacheName, "many", "'many' is no number of 0 or more")]
    [InlineData(WorkerFlags.PrometheusName, "9464", "expected an IP address and a port")]
    [InlineData(WorkerFlags.PrometheusName, "127.0.0.1", "expected an IP address and a port")]
    [InlineData(WorkerFlags.OtlpName, "127.0.0.1:4317", "expected a URL")]
    public void What_cannot_be_used_is_said_in_one_line(string name, string text, string expected)
    {
        var refusal = Refusal((name, text));

        Assert.StartsWith($"{name} ", refusal.Replace(':', ' '), StringComparison.Ordinal);
        Assert.Contains(expected, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
    }

    private static string Refusal(params (string Name, string Text)[] given) => Assert.Throws<InputException>(() => Parse(given)).Message;

    private static WorkerSettings Parse(params (string Name, string Text)[] given) =>
        WorkerSettings.Parse(given.ToDictionary(g => g.Name, g => new WorkerSettings.Given(g.Name, g.Text)));
}
