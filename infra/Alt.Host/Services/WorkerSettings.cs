using System.Globalization;
using System.Net;
using Alt.Domain;
using Alt.Workflows;
using Temporalio.Runtime;

namespace Alt.Host;

/// <summary>How much a worker takes on at once, and where its metrics go.</summary>
/// <param name="Slots">By task queue how many activities run at once, and under <see cref="Workflows"/> how many workflow tasks.</param>
/// <param name="Pollers">By the same keys how many calls wait for work at once.</param>
/// <param name="CachedWorkflows">Workflows that are kept in memory and need no replay.</param>
/// <param name="Metrics">null where none are asked for.</param>
internal sealed record WorkerSettings(
    IReadOnlyDictionary<string, int> Slots, IReadOnlyDictionary<string, int> Pollers, int CachedWorkflows, MetricsOptions? Metrics)
{
    /// <summary>The key of workflow tasks beside the task queues of activities.</summary>
    public const string Workflows = "workflows";

    private const int UsualPollers = 5, UsualCache = 10_000;

    // Judges wait for others, so several work at once.
    private static readonly Dictionary<string, int> UsualSlots = new()
    {
        [Workflows] = 100,
        [TaskQueues.Main] = 4,
        [TaskQueues.Gpu] = 1,
        [TaskQueues.Feedback] = 2,
    };

    public static WorkerSettings Default => Parse(new Dictionary<string, Given>());

    /// <summary>The default slots, as a user would write them.</summary>
    public static string UsualSlotsText => string.Join(',', UsualSlots.Select(s => $"{s.Key}={s.Value}"));

    /// <param name="given">The given values, by the option's name.</param>
    /// <exception cref="InputException">A value is malformed, or more than is allowed.</exception>
    public static WorkerSettings Parse(IReadOnlyDictionary<string, Given> given)
    {
        var slots = new Dictionary<string, int>(UsualSlots);
        ReadCounts(given.GetValueOrDefault(WorkerFlags.SlotsName), slots);
        if (slots[TaskQueues.Gpu] != 1)
        {
            throw new InputException(
                $"{given[WorkerFlags.SlotsName].Name} {TaskQueues.Gpu}={slots[TaskQueues.Gpu]}: a model has its device to itself");
        }

        // A poller without a slot has nothing to wait for.
        var pollers = slots.ToDictionary(s => s.Key, s => Math.Min(s.Value, UsualPollers));
        ReadCounts(given.GetValueOrDefault(WorkerFlags.PollersName), pollers);
        var cache = given.TryGetValue(WorkerFlags.CacheName, out var size) ? Count(size.Name, size.Text, lowest: 0) : UsualCache;
        return new WorkerSettings(
            slots, pollers, cache,
            ReadMetrics(given.GetValueOrDefault(WorkerFlags.PrometheusName), given.GetValueOrDefault(WorkerFlags.OtlpName)));
    }

    private static void ReadCounts(Given? given, Dictionary<string, int> counts)
    {
        foreach (var part in (given?.Text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = part.Split('=') is [var left, var right] ? (left, right) : ("", "");
            if (!counts.ContainsKey(key))
            {
                throw new InputException(
                    $"{given!.Name} {part}: expected WORK=N, where WORK is one of {string.Join(", ", UsualSlots.Keys)}");
            }

            counts[key] = Count($"{given!.Name} {key}", value, lowest: 1);
        }
    }

    private static int Count(string name, string text, int lowest) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= lowest
            ? count
            : throw new InputException($"{name}: '{text}' is no number of {lowest} or more");

    private static MetricsOptions? ReadMetrics(Given? prometheus, Given? otlp) => (prometheus, otlp) switch
    {
        (null, null) => null,
        (not null, not null) => throw new InputException($"{prometheus.Name} and {otlp.Name}: the metrics go to one of them"),
        ({ Text: var address }, _) => IPEndPoint.TryParse(address, out var end) && end.Port != 0
            ? new MetricsOptions(new PrometheusOptions(address))
            : throw new InputException($"{prometheus.Name} {address}: expected an IP address and a port, such as 127.0.0.1:9464"),
        (_, { Text: var url }) => Uri.TryCreate(url, UriKind.Absolute, out var target) && target.Scheme is "http" or "https"
            ? new MetricsOptions(new OpenTelemetryOptions(target))
            : throw new InputException($"{otlp.Name} {url}: expected a URL, such as http://127.0.0.1:4317"),
    };

    /// <summary>A value as the user gave it.</summary>
    /// <param name="Name">Where: the option or the variable.</param>
    internal sealed record Given(string Name, string Text);
}
