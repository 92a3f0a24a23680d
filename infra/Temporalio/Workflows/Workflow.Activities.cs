using System.Linq.Expressions;
using System.Reflection;
using Temporalio.Activities;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <content>Calls of activities: lambdas on static or instance methods, synchronous or not, with or without a result, or by name.</content>
public static partial class Workflow
{
    /// <summary>Runs an activity, retried as the options say.</summary>
    /// <param name="activityCall">The call, such as <c>(MyActivities act) => act.DoAsync(input)</c>. Only its method and arguments are used.</param>
    /// <param name="options">Options; a timeout is required.</param>
    /// <returns>Result of the activity.</returns>
    /// <exception cref="Exceptions.ActivityFailureException">The activity failed, timed out or was cancelled.</exception>
    /// <exception cref="Exceptions.CanceledFailureException">It was cancelled before it was scheduled.</exception>
    /// <exception cref="ArgumentException">The options hold no timeout, or the lambda is not a single call of an activity.</exception>
    public static Task<TResult> ExecuteActivityAsync<TResult>(Expression<Func<TResult>> activityCall, ActivityOptions options) =>
        RunActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task<TResult> ExecuteActivityAsync<TResult>(Expression<Func<Task<TResult>>> activityCall, ActivityOptions options) =>
        RunActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task<TResult> ExecuteActivityAsync<TActivityInstance, TResult>(
        Expression<Func<TActivityInstance, TResult>> activityCall, ActivityOptions options) => RunActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task<TResult> ExecuteActivityAsync<TActivityInstance, TResult>(
        Expression<Func<TActivityInstance, Task<TResult>>> activityCall, ActivityOptions options) => RunActivityAsync<TResult>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task ExecuteActivityAsync(Expression<Action> activityCall, ActivityOptions options) =>
        RunActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task ExecuteActivityAsync(Expression<Func<Task>> activityCall, ActivityOptions options) =>
        RunActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task ExecuteActivityAsync<TActivityInstance>(Expression<Action<TActivityInstance>> activityCall, ActivityOptions options) =>
        RunActivityAsync<ValueTuple>(activityCall, options);

    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task ExecuteActivityAsync<TActivityInstance>(Expression<Func<TActivityInstance, Task>> activityCall, ActivityOptions options) =>
        RunActivityAsync<ValueTuple>(activityCall, options);

    /// <summary>Runs an activity by its name.</summary>
    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task ExecuteActivityAsync(string activity, IReadOnlyCollection<object?> args, ActivityOptions options) =>
        Context.ExecuteActivityAsync<ValueTuple>(activity, args, options);

    /// <summary>Runs an activity by its name.</summary>
    /// <inheritdoc cref="ExecuteActivityAsync{TResult}(Expression{Func{TResult}}, ActivityOptions)"/>
    public static Task<TResult> ExecuteActivityAsync<TResult>(string activity, IReadOnlyCollection<object?> args, ActivityOptions options) =>
        Context.ExecuteActivityAsync<TResult>(activity, args, options);

    private static Task<TResult> RunActivityAsync<TResult>(LambdaExpression activityCall, ActivityOptions options)
    {
        var (name, args) = ActivityCall(activityCall);
        return Context.ExecuteActivityAsync<TResult>(name, args, options);
    }

    private static (string Name, object?[] Args) ActivityCall(LambdaExpression activityCall)
    {
        var (method, args) = CallExpression.Extract(activityCall);
        return method.GetCustomAttribute<ActivityAttribute>() is { Dynamic: true }
            ? throw new ArgumentException("A dynamic activity must be called by name")
            : (ActivityDefinition.NameFromMethod(method), args);
    }
}
