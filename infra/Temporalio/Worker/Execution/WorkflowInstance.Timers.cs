using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Worker.Execution;
using Temporalio.Workflows;

namespace Temporalio.Worker;

/// <content>Timers.</content>
internal sealed partial class WorkflowInstance
{
    // By the ID of the event that started them.
    private readonly Dictionary<long, TaskCompletionSource> timers = [];
    private int timerCount;

    public Task DelayAsync(DelayOptions options)
    {
        var token = options.CancellationToken ?? CancellationToken;
        if (token.IsCancellationRequested)
        {
            return Task.FromCanceled(token);
        }
        if (options.Delay < TimeSpan.Zero && options.Delay != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentException("Delay duration cannot be less than 0");
        }
        var fired = new TaskCompletionSource();
        return options.Delay == Timeout.InfiniteTimeSpan
            ? WaitAsync(fired, token, () => { })
            : StartTimer(fired, options, token);
    }

    private Task StartTimer(TaskCompletionSource fired, DelayOptions options, CancellationToken token)
    {
        var id = (++timerCount).ToString(CultureInfo.InvariantCulture);
        long startedEventId = 0;
        var start = new Command
        {
            CommandType = CommandType.StartTimer,
            StartTimerCommandAttributes = new()
            {
                TimerId = id,
                StartToFireTimeout = Duration.FromTimeSpan(options.Delay == TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : options.Delay),
            },
            UserMetadata = Summary(options.Summary),
        };
        var started = ledger.Add(new(
            start,
            EventType.TimerStarted,
            $"timer {id}",
            evt => PendingCommand.Compare("timer ID", evt.TimerStartedEventAttributes.TimerId, id),
            evt =>
            {
                startedEventId = evt.EventId;
                timers[evt.EventId] = fired;
            }));
        return WaitAsync(fired, token, () =>
        {
            if (!ledger.Withdraw(started) && timers.Remove(startedEventId))
            {
                ledger.Add(new(
                    new() { CommandType = CommandType.CancelTimer, CancelTimerCommandAttributes = new() { TimerId = id } },
                    EventType.TimerCanceled,
                    $"timer {id}",
                    evt => PendingCommand.Compare("timer ID", evt.TimerCanceledEventAttributes.TimerId, id)));
            }
        });
    }

    private static async Task WaitAsync(TaskCompletionSource source, CancellationToken token, Action canceled)
    {
        using var onCancel = token.Register(() =>
        {
            if (source.TrySetCanceled(token))
            {
                canceled();
            }
        });
        await source.Task;
    }

    private void ResolveTimer(long startedEventId)
    {
        // A timer that was cancelled is gone.
        if (timers.Remove(startedEventId, out var fired))
        {
            fired.TrySetResult();
        }
    }

    private Api.Sdk.V1.UserMetadata? Summary(string? summary, string? details = null) => summary is null && details is null ? null : new()
    {
        Summary = summary is null ? null : converter.ToPayload(summary),
        Details = details is null ? null : converter.ToPayload(details),
    };
}
