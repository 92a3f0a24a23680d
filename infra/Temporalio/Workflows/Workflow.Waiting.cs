namespace Temporalio.Workflows;

/// <content>Timers, conditions and tasks.</content>
public static partial class Workflow
{
    /// <summary>Waits, as a timer of the server that survives everything.</summary>
    /// <param name="delay">Length; zero is taken as 1 ms, <see cref="Timeout.InfiniteTimeSpan"/> never ends.</param>
    /// <param name="cancellationToken">Cancels the timer. Default: the workflow's token.</param>
    /// <exception cref="TaskCanceledException">The timer was cancelled.</exception>
    /// <exception cref="ArgumentException">The length is negative.</exception>
    public static Task DelayAsync(TimeSpan delay, CancellationToken? cancellationToken = null) =>
        Context.DelayAsync(new(delay, null, cancellationToken));

    /// <param name="millisecondsDelay">Length in milliseconds.</param>
    /// <param name="cancellationToken">Cancels the timer. Default: the workflow's token.</param>
    /// <inheritdoc cref="DelayAsync(TimeSpan, System.Threading.CancellationToken?)"/>
    public static Task DelayAsync(int millisecondsDelay, CancellationToken? cancellationToken = null) =>
        DelayAsync(TimeSpan.FromMilliseconds(millisecondsDelay), cancellationToken);

    /// <inheritdoc cref="DelayAsync(TimeSpan, System.Threading.CancellationToken?)"/>
    public static Task DelayWithOptionsAsync(DelayOptions options) => Context.DelayAsync(options);

    /// <summary>Waits until a condition holds. It is checked whenever the workflow's code has come to rest.</summary>
    /// <param name="conditionCheck">The condition; must not change anything.</param>
    /// <param name="cancellationToken">Cancels the wait. Default: the workflow's token.</param>
    public static Task WaitConditionAsync(Func<bool> conditionCheck, CancellationToken? cancellationToken = null) =>
        Context.WaitConditionAsync(new(conditionCheck, null, null, cancellationToken));

    /// <summary>Waits until a condition holds or time is up.</summary>
    /// <param name="conditionCheck">The condition; must not change anything.</param>
    /// <param name="timeout">Longest wait.</param>
    /// <param name="cancellationToken">Cancels the wait. Default: the workflow's token.</param>
    /// <returns>Whether the condition held in time.</returns>
    public static Task<bool> WaitConditionAsync(Func<bool> conditionCheck, TimeSpan timeout, CancellationToken? cancellationToken = null) =>
        Context.WaitConditionAsync(new(conditionCheck, timeout, null, cancellationToken));

    /// <param name="conditionCheck">The condition; must not change anything.</param>
    /// <param name="timeoutMilliseconds">Longest wait in milliseconds.</param>
    /// <param name="cancellationToken">Cancels the wait. Default: the workflow's token.</param>
    /// <inheritdoc cref="WaitConditionAsync(Func{bool}, TimeSpan, System.Threading.CancellationToken?)"/>
    public static Task<bool> WaitConditionAsync(Func<bool> conditionCheck, int timeoutMilliseconds, CancellationToken? cancellationToken = null) =>
        WaitConditionAsync(conditionCheck, TimeSpan.FromMilliseconds(timeoutMilliseconds), cancellationToken);

    /// <inheritdoc cref="WaitConditionAsync(Func{bool}, TimeSpan, System.Threading.CancellationToken?)"/>
    public static Task<bool> WaitConditionWithOptionsAsync(WaitConditionOptions options) => Context.WaitConditionAsync(options);

    /// <summary>Runs code as a task of the workflow; what <see cref="Task.Run(Func{Task})"/> is elsewhere.</summary>
    public static Task RunTaskAsync(Func<Task> function, CancellationToken? cancellationToken = null) =>
        Task.Factory.StartNew(function, cancellationToken ?? CancellationToken, TaskCreationOptions.None, Context).Unwrap();

    /// <inheritdoc cref="RunTaskAsync(Func{Task}, System.Threading.CancellationToken?)"/>
    public static Task<TResult> RunTaskAsync<TResult>(Func<Task<TResult>> function, CancellationToken? cancellationToken = null) =>
        Task.Factory.StartNew(function, cancellationToken ?? CancellationToken, TaskCreationOptions.None, Context).Unwrap();

    /// <summary>Ends when one of the tasks has ended.</summary>
    public static Task<Task> WhenAnyAsync(params Task[] tasks) => Task.WhenAny(tasks);

    /// <inheritdoc cref="WhenAnyAsync(Task[])"/>
    public static Task<Task> WhenAnyAsync(IEnumerable<Task> tasks) => Task.WhenAny(tasks);

    /// <inheritdoc cref="WhenAnyAsync(Task[])"/>
    public static Task<Task<TResult>> WhenAnyAsync<TResult>(params Task<TResult>[] tasks) => WhenAnyAsync((IEnumerable<Task<TResult>>)tasks);

    /// <inheritdoc cref="WhenAnyAsync(Task[])"/>
    public static async Task<Task<TResult>> WhenAnyAsync<TResult>(IEnumerable<Task<TResult>> tasks)
    {
        // .NET's own generic WhenAny continues on the default scheduler, which leaves the workflow's.
        var first = await Task.WhenAny(tasks.Cast<Task>());
        return (Task<TResult>)first;
    }

    /// <summary>Ends when all of the tasks have ended.</summary>
    public static Task WhenAllAsync(params Task[] tasks) => Task.WhenAll(tasks);

    /// <inheritdoc cref="WhenAllAsync(Task[])"/>
    public static Task WhenAllAsync(IEnumerable<Task> tasks) => Task.WhenAll(tasks);

    /// <inheritdoc cref="WhenAllAsync(Task[])"/>
    public static Task<TResult[]> WhenAllAsync<TResult>(params Task<TResult>[] tasks) => Task.WhenAll(tasks);

    /// <inheritdoc cref="WhenAllAsync(Task[])"/>
    public static Task<TResult[]> WhenAllAsync<TResult>(IEnumerable<Task<TResult>> tasks) => Task.WhenAll(tasks);
}
