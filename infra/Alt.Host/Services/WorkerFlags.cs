using System.CommandLine;
using Alt.Domain;

namespace Alt.Host;

/// <summary>
/// The options of <c>alt worker</c> that tune it. Each can be set by an environment variable too, since <c>alt run</c> starts its worker by
/// itself; an option overrides its variable.
/// </summary>
internal sealed class WorkerFlags
{
    public const string SlotsName = "--slots", PollersName = "--pollers", CacheName = "--cached-workflows";
    public const string PrometheusName = "--metrics-prometheus", OtlpName = "--metrics-otlp";

    private static readonly Dictionary<string, string> Variables = new()
    {
        [SlotsName] = "ALT_WORKER_SLOTS",
        [PollersName] = "ALT_WORKER_POLLERS",
        [CacheName] = "ALT_WORKER_CACHED_WORKFLOWS",
        [PrometheusName] = "ALT_METRICS_PROMETHEUS",
        [OtlpName] = "ALT_METRICS_OTLP",
    };

    private readonly Option<string?>[] _options =
    [
        New(
            SlotsName, "WORK=N,…",
            $"How many activities of a task queue, and how many workflow tasks, run at once. Default: {WorkerSettings.UsualSlotsText}."),
        New(PollersName, "WORK=N,…", "How many calls wait for the work of each kind at once. Default: 5, but no more than slots."),
        New(CacheName, "N", "Workflows that are kept in memory and need no replay. Default: 10000."),
        New(PrometheusName, "IP:PORT", "Serve the metrics of Temporal's worker to Prometheus at http://IP:PORT/metrics."),
        New(OtlpName, "URL", "Send the metrics of Temporal's worker to this OpenTelemetry collector, by gRPC."),
    ];

    public WorkerFlags(Command command)
    {
        foreach (var option in _options)
        {
            command.Add(option);
        }
    }

    /// <exception cref="InputException">An option or a variable is not of its form.</exception>
    public WorkerSettings Read(ParseResult parsed)
    {
        var given = new Dictionary<string, WorkerSettings.Given>();
        foreach (var option in _options)
        {
            if (parsed.GetValue(option) is { } value)
            {
                given[option.Name] = new(option.Name, value);
            }
            else if (Environment.GetEnvironmentVariable(Variables[option.Name]) is { Length: > 0 } variable)
            {
                given[option.Name] = new(Variables[option.Name], variable);
            }
        }

        return WorkerSettings.Parse(given);
    }

    private static Option<string?> New(string name, string form, string description) =>
        new(name) { HelpName = form, Description = $"{description} Also {Variables[name]}." };
}
