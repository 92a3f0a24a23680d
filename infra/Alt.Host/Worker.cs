using Alt.Activities;
using Alt.Activities.Feedback;
using Alt.Infra;
using Alt.Workflows;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Worker;

namespace Alt.Host;

/// <summary>The composition root of everything that works: one worker per task queue over one set of activities.</summary>
internal static class Worker
{
    /// <summary>Judges wait for others, so several work at once; a model has its device to itself.</summary>
    private const int Judges = 2, Models = 1, LightActivities = 4;

    /// <summary>Works until the token ends it.</summary>
    public static async Task RunAsync(ITemporalClient client, Record record, AltHome home, ILoggerFactory logs, Action ready, CancellationToken token)
    {
        var (ledger, artifacts) = (record.Ledger, new ArtifactStore(home.Artifacts));
        await using var calls = await record.OpenCallsAsync(logs, token);
        using var policies = new Policies(artifacts, home.Models);
        var classifiers = new Classifiers(artifacts);
        using var checkpoints = new Checkpoints();
        object[] activities =
        [
            new PromptsActivities(ledger, artifacts),
            new SamplingActivities(ledger, artifacts, policies),
            new FeedbackActivities(ledger, artifacts, new FeedbackProviders(classifiers, checkpoints, calls)),
            new DataPoolActivities(ledger, artifacts),
            new SelectionActivities(ledger, artifacts),
            new TrainingActivities(ledger, artifacts, policies),
            new EvaluationActivities(ledger, artifacts, policies, classifiers),
            new ReportActivities(ledger, artifacts),
        ];

        using var main = New(TaskQueues.Main, LightActivities, o => o.AddWorkflow<AltRunWorkflow>().AddWorkflow<IterationWorkflow>());
        using var models = New(TaskQueues.Gpu, Models);
        using var judges = New(TaskQueues.Feedback, Judges);
        await UntilOneEndsAsync([main.ExecuteAsync, models.ExecuteAsync, judges.ExecuteAsync], ready, token);

        TemporalWorker New(string queue, int concurrent, Action<TemporalWorkerOptions>? add = null)
        {
            var options = new TemporalWorkerOptions(queue)
            {
                MaxConcurrentActivities = concurrent,
                // A killed worker's workflows go to the next one after this long.
                StickyQueueScheduleToStartTimeout = TimeSpan.FromSeconds(2),
                MaxHeartbeatThrottleInterval = TimeSpan.FromSeconds(1),
                GracefulShutdownTimeout = TimeSpan.FromSeconds(2),
                LoggerFactory = logs,
                Interceptors = [new ActivityInterceptor()],
            };
            foreach (var instance in activities)
            {
                options.AddAllActivities(instance.GetType(), instance);
            }

            add?.Invoke(options);
            return new TemporalWorker(client, options);
        }
    }

    /// <summary>
    /// Runs several parts of a process until the first ends, for whatever reason: then the others are cancelled and waited for, since what they
    /// share is let go afterwards. The supervisor starts the process anew.
    /// </summary>
    internal static async Task UntilOneEndsAsync(IReadOnlyList<Func<CancellationToken, Task>> parts, Action ready, CancellationToken token)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(token);
        var running = parts.Select(part => part(ending.Token)).ToArray();
        ready();
        var first = await Task.WhenAny(running);
        await ending.CancelAsync();
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Why the first ended is the cause; how the others did comes after it.
        await first;
        await Task.WhenAll(running);
    }
}
