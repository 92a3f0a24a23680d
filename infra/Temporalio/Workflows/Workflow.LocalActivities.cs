using System.Linq.Expressions;

namespace Temporalio.Workflows;

/// <content>Calls of local activities: activities that this worker runs within the workflow task, for short steps.</content>
public static partial class Workflow
{
    /// <summary>Runs a local activity, retried as the options say.</summary>
    /// <param name="activityCall">The call, such as <c>(MyActivities act) => act.DoAsync(input)</c>. Only its method and arguments are used.</param>
    /// <param name="options">Options; a timeout is required.</param>
    /// <returns>Result of the activity.</returns>
    /// <exception cref="Exceptions.ActivityFailureException">The activity failed, timed out or was cancelled.</exception>
    /// <exception cref="Exceptions.CanceledFailureException">It was cancelled before it was scheduled.</exception>
    /// <exception cref="ArgumentException">The options hold no timeout, or the lambda is not a single call of an activity.</exception>
    public static Task<TResult> ExecuteLocalActivityAsync<TResult>(Expression<Func<TResult>> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task<TResult> ExecuteLocalActivityAsync<TResult>(Expression<Func<Task<TResult>>> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task<TResult> ExecuteLocalActivityAsync<TActivityInstance, TResult>(
        Expression<Func<TActivityInstance, TResult>> activityCall, LocalActivityOptions options) => RunLocalActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task<TResult> ExecuteLocalActivityAsync<TActivityInstance, TResult>(
        Expression<Func<TActivityInstance, Task<TResult>>> activityCall, LocalActivityOptions options) => RunLocalActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task ExecuteLocalActivityAsync(Expression<Action> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task ExecuteLocalActivityAsync(Expression<Func<Task>> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task ExecuteLocalActivityAsync<TActivityInstance>(Expression<Action<TActivityInstance>> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task ExecuteLocalActivityAsync<TActivityInstance>(Expression<Func<TActivityInstance, Task>> activityCall, LocalActivityOptions options) =>
        RunLocalActivityAsync<ValueTuple>(activityCall, options);

    /// <summary>Runs a local activity by its name.</summary>
    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task ExecuteLocalActivityAsync(string activity, IReadOnlyCollection<object?> args, LocalActivityOptions options) =>
        Context.ExecuteLocalActivityAsync<ValueTuple>(activity, args, options);

    /// <summary>Runs a local activity by its name.</summary>
    /// <inheritdoc cref="ExecuteLocalActivityAsync{TResult}(Expression{Func{TResult}}, LocalActivityOptions)"/>
    public static Task<TResult> ExecuteLocalActivityAsync<TResult>(string activity, IReadOnlyCollection<object?> args, LocalActivityOptions options) =>
        Context.ExecuteLocalActivityAsync<TResult>(activity, args, options);

    private static Task<TResult> RunLocalActivityAsync<TResult>(LambdaExpression activityCall, LocalActivityOptions options)
    {
        var (name, args) = ActivityCall(activityCall);
        return Context.ExecuteLocalActivityAsync<TResult>(name, args, options);
    }
}
