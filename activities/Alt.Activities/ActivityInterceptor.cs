using System.Diagnostics;
using Alt.Domain;
using Microsoft.Extensions.Logging;
using Temporalio.Activities;
using Temporalio.Exceptions;
using Temporalio.Worker.Interceptors;

namespace Alt.Activities;

/// <summary>
/// What every activity passes through: its beginning and end are logged, measured and traced, and a failure reaches the workflow as one
/// sentence that says whether another attempt makes sense. The exception itself, with native stack traces, goes to the log alone.
/// </summary>
public sealed class ActivityInterceptor : IWorkerInterceptor
{
    /// <summary>Between two looks at whether a full memory has been freed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public ActivityInboundInterceptor InterceptActivity(ActivityInboundInterceptor nextInterceptor) => new Inbound(nextInterceptor);

    private sealed class Inbound(ActivityInboundInterceptor next) : ActivityInboundInterceptor(next)
    {
        public override async Task<object?> ExecuteActivityAsync(ExecuteActivityInput input)
        {
            var context = ActivityExecutionContext.Current;
            var (work, log, attempt) = (StageWork.Of(input, context.Info), context.Logger, context.Info.Attempt);
            using var scope = log.BeginScope(work.Properties);
            using var measured = StageTelemetry.Measure(work, context.Info);
            log.Begins(work.Name, attempt, measured.QueueTime.TotalSeconds);
            try
            {
                var result = await base.ExecuteActivityAsync(input);
                measured.Outcome = "done";
                log.Ends(work.Name, measured.Elapsed.TotalSeconds);
                return result;
            }
            catch (OperationCanceledException)
            {
                measured.Outcome = "cancelled";
                log.Interrupted(work.Name, measured.Elapsed.TotalSeconds);
                throw;
            }
            catch (Exception e) when (e is not (FailureException or CompleteAsyncException))
            {
                throw Translate(e, work, measured, log, context);
            }
        }

        private static ApplicationFailureException Translate(
            Exception e, StageWork work, StageTelemetry.Measurement measured, ILogger log, ActivityExecutionContext context)
        {
            var (cause, sentence) = (Failures.CauseOf(e), Failures.SentenceOf(e));
            // A failure while the worker shuts down says nothing about the work.
            var kind = context.WorkerShutdownToken.IsCancellationRequested ? FailureKind.Transient : Failures.KindOf(e);
            var type = cause.GetType().Name;
            measured.Fail(type, sentence);
            switch (kind)
            {
                case FailureKind.Permanent:
                    log.FailedForGood(e, work.Name, context.Info.Attempt, sentence);
                    break;
                default:
                    log.FailedForNow(e, work.Name, context.Info.Attempt, sentence);
                    break;
            }

            return new(
                sentence, type, nonRetryable: kind == FailureKind.Permanent, nextRetryDelay: kind == FailureKind.Full ? Patience : null);
        }
    }
}

/// <summary>What an activity works on, as its arguments say.</summary>
/// <param name="Stage">After which the class of the activities is named; null if it is named after none.</param>
/// <param name="Run">Null if the activity belongs to no run; so are iteration and chunk.</param>
internal sealed record StageWork(Stage? Stage, string Activity, string? Run, int? Iteration, int? Chunk)
{
    private const string ClassSuffix = "Activities";

    public string Name => Stage is null ? Activity : $"{Stage}/{Activity}";

    /// <summary>For the log: every message below has them.</summary>
    public IReadOnlyDictionary<string, object> Properties
    {
        get
        {
            var properties = new Dictionary<string, object> { ["Activity"] = Activity };
            Add("Stage", Stage?.ToString());
            Add("Run", Run);
            Add("Iteration", Iteration);
            Add("Chunk", Chunk);
            string?[] parts = [Run, Text("iteration", Iteration), Text("chunk", Chunk)];
            properties["Work"] = $"[{string.Join(", ", parts.Where(part => part is not null))}]";
            return properties;

            void Add(string name, object? value)
            {
                if (value is not null)
                {
                    properties[name] = value;
                }
            }

            static string? Text(string name, int? number) => number is null ? null : $"{name} {number}";
        }
    }

    /// <summary>For metrics and traces.</summary>
    public TagList Tags => new() { { "alt.stage", Stage?.ToString() }, { "alt.activity", Activity } };

    public static StageWork Of(ExecuteActivityInput input, ActivityInfo info)
    {
        var type = input.Activity.MethodInfo?.DeclaringType?.Name ?? "";
        var named = type.EndsWith(ClassSuffix, StringComparison.Ordinal) ? type[..^ClassSuffix.Length] : type;
        Stage? stage = Enum.TryParse<Stage>(named, out var known) ? known : null;
        var work = new StageWork(stage, info.ActivityType, null, null, null);
        return input.Args.FirstOrDefault() switch
        {
            ChunkRef { Iteration: var (run, iteration), Chunk: var chunk } => work with { Run = run, Iteration = iteration, Chunk = chunk },
            IterationRef(var run, var iteration) => work with { Run = run, Iteration = iteration },
            string run => work with { Run = run },
            _ => work,
        };
    }
}
