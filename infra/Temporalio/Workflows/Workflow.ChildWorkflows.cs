using System.Linq.Expressions;
using System.Reflection;
using Temporalio.Common;

namespace Temporalio.Workflows;

/// <content>Child workflows, other workflows and continue-as-new.</content>
public static partial class Workflow
{
    /// <summary>Starts a child workflow.</summary>
    /// <param name="workflowRunCall">The call, such as <c>(MyWorkflow wf) => wf.RunAsync(input)</c>.</param>
    /// <param name="options">Options.</param>
    /// <returns>Handle, once the server has started the child.</returns>
    /// <exception cref="Exceptions.WorkflowAlreadyStartedException">A workflow of that ID runs already.</exception>
    /// <exception cref="Exceptions.CanceledFailureException">It was cancelled before it was scheduled.</exception>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">It was cancelled before it started.</exception>
    public static Task<ChildWorkflowHandle<TWorkflow, TResult>> StartChildWorkflowAsync<TWorkflow, TResult>(
        Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, ChildWorkflowOptions? options = null)
    {
        var (name, args) = RunCall(workflowRunCall);
        return Context.StartChildWorkflowAsync<TWorkflow, TResult>(name, args, options ?? new());
    }

    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task<ChildWorkflowHandle<TWorkflow>> StartChildWorkflowAsync<TWorkflow>(
        Expression<Func<TWorkflow, Task>> workflowRunCall, ChildWorkflowOptions? options = null)
    {
        var (name, args) = RunCall(workflowRunCall);
        return await Context.StartChildWorkflowAsync<TWorkflow, ValueTuple>(name, args, options ?? new());
    }

    /// <summary>Starts a child workflow by its name.</summary>
    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task<ChildWorkflowHandle> StartChildWorkflowAsync(
        string workflow, IReadOnlyCollection<object?> args, ChildWorkflowOptions? options = null) =>
        await Context.StartChildWorkflowAsync<ValueTuple, ValueTuple>(workflow, args, options ?? new());

    /// <summary>Starts a child workflow and waits for its result.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">The child did not succeed.</exception>
    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task<TResult> ExecuteChildWorkflowAsync<TWorkflow, TResult>(
        Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, ChildWorkflowOptions? options = null)
    {
        var handle = await StartChildWorkflowAsync(workflowRunCall, options);
        return await handle.GetResultAsync();
    }

    /// <summary>Starts a child workflow and waits for its end.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">The child did not succeed.</exception>
    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task ExecuteChildWorkflowAsync<TWorkflow>(
        Expression<Func<TWorkflow, Task>> workflowRunCall, ChildWorkflowOptions? options = null)
    {
        var handle = await StartChildWorkflowAsync(workflowRunCall, options);
        await handle.GetResultAsync();
    }

    /// <summary>Starts a child workflow by its name and waits for its end.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">The child did not succeed.</exception>
    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task ExecuteChildWorkflowAsync(string workflow, IReadOnlyCollection<object?> args, ChildWorkflowOptions? options = null)
    {
        var handle = await StartChildWorkflowAsync(workflow, args, options);
        await handle.GetResultAsync();
    }

    /// <summary>Starts a child workflow by its name and waits for its result.</summary>
    /// <exception cref="Exceptions.ChildWorkflowFailureException">The child did not succeed.</exception>
    /// <inheritdoc cref="StartChildWorkflowAsync{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ChildWorkflowOptions?)"/>
    public static async Task<TResult> ExecuteChildWorkflowAsync<TResult>(
        string workflow, IReadOnlyCollection<object?> args, ChildWorkflowOptions? options = null)
    {
        var handle = await StartChildWorkflowAsync(workflow, args, options);
        return await handle.GetResultAsync<TResult>();
    }

    /// <summary>A handle of another workflow, to signal or cancel it.</summary>
    /// <param name="id">Workflow ID.</param>
    /// <param name="runId">Run ID; null for the current run.</param>
    public static ExternalWorkflowHandle GetExternalWorkflowHandle(string id, string? runId = null) =>
        Context.GetExternalWorkflowHandle<ValueTuple>(id, runId);

    /// <inheritdoc cref="GetExternalWorkflowHandle(string, string?)"/>
    public static ExternalWorkflowHandle<TWorkflow> GetExternalWorkflowHandle<TWorkflow>(string id, string? runId = null) =>
        Context.GetExternalWorkflowHandle<TWorkflow>(id, runId);

    /// <summary>An exception to throw out of the run method: the workflow goes on as a new run with an empty history.</summary>
    /// <param name="workflowRunCall">Call of the run method with the next run's arguments.</param>
    /// <param name="options">What changes with the next run.</param>
    public static ContinueAsNewException CreateContinueAsNewException<TWorkflow, TResult>(
        Expression<Func<TWorkflow, Task<TResult>>> workflowRunCall, ContinueAsNewOptions? options = null)
    {
        var (name, args) = RunCall(workflowRunCall);
        return CreateContinueAsNewException(name, args, options);
    }

    /// <inheritdoc cref="CreateContinueAsNewException{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ContinueAsNewOptions?)"/>
    public static ContinueAsNewException CreateContinueAsNewException<TWorkflow>(
        Expression<Func<TWorkflow, Task>> workflowRunCall, ContinueAsNewOptions? options = null)
    {
        var (name, args) = RunCall(workflowRunCall);
        return CreateContinueAsNewException(name, args, options);
    }

    /// <inheritdoc cref="CreateContinueAsNewException{TWorkflow, TResult}(Expression{Func{TWorkflow, Task{TResult}}}, ContinueAsNewOptions?)"/>
    public static ContinueAsNewException CreateContinueAsNewException(
        string workflow, IReadOnlyCollection<object?> args, ContinueAsNewOptions? options = null)
    {
        _ = Context; // outside of a workflow the exception would mean nothing
        return new(workflow, args, options);
    }

    private static (string Name, object?[] Args) RunCall(LambdaExpression workflowRunCall)
    {
        var (method, args) = CallExpression.Extract(workflowRunCall);
        // The lambda's parameter is the class that was asked for; the method may be declared on its base.
        var type = workflowRunCall.Parameters[0].Type;
        if (method.GetCustomAttribute<WorkflowRunAttribute>() is null)
        {
            throw new ArgumentException($"{method.DeclaringType}.{method.Name} is missing the WorkflowRun attribute");
        }
        return (WorkflowDefinition.NameOf(type), args);
    }
}
