using Alt.Domain;
using Alt.Host.Progress;
using Alt.Host.Supervisor;
using Alt.Workflows;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;
using Temporalio.Client;
using Temporalio.Exceptions;

namespace Alt.Host.Commands;

/// <summary>Starts a run's workflow, or joins it, and shows its progress until it ends; waits out every part that is being started again.</summary>
internal sealed class RunFollower
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly AltHome home;
    private readonly Stack stack;
    private readonly string run;
    private readonly ProgressDisplay display;
    private readonly ILoggerFactory logs;
    private readonly IterationNotes results;
    private readonly ResiliencePipeline patiently;

    public RunFollower(AltHome home, Stack stack, Record record, string run, ProgressDisplay display, ILoggerFactory logs)
    {
        (this.home, this.stack, this.run, this.display, this.logs) = (home, stack, run, display, logs);
        results = new(record, run, display);
        patiently = Patiently(PauseAsync, logs.CreateLogger<RunFollower>());
    }

    /// <returns>Why the run failed; null where it ended well.</returns>
    /// <exception cref="HostException">A part of the stack cannot be kept alive.</exception>
    public async Task<string?> RunAsync(RunConfig config, CancellationToken token)
    {
        var client = await Temporal.ConnectAsync(home, logs, stack.Running, token);
        using var attendance = await PatientlyAsync(() => Attendance.JoinAsync(home, client, run, token), token);
        await PatientlyAsync(() => StartAsync(client, config), token);
        var reader = new ProgressReader(client, run);
        while (!await PatientlyAsync(() => ShowAsync(reader, token), token))
        {
            await PauseAsync(token);
        }

        return await PatientlyAsync(() => FailureAsync(client, token), token);
    }

    private async Task<bool> StartAsync(TemporalClient client, RunConfig config)
    {
        var workflow = AltRunWorkflow.IdOf(run);
        try
        {
            await client.StartWorkflowAsync((AltRunWorkflow w) => w.RunAsync(config, null), new(workflow, TaskQueues.Main));
            return true;
        }
        catch (WorkflowAlreadyStartedException)
        {
            logs.CreateLogger<RunFollower>().LogInformation("Run {Run} is under way already; it is followed", run);
            return false;
        }
    }

    /// <returns>Whether the run has ended.</returns>
    private async Task<bool> ShowAsync(ProgressReader reader, CancellationToken token)
    {
        var snapshot = await reader.ReadAsync(token);
        display.Show(snapshot);
        await results.ShowNewAsync(token);
        return snapshot.Closed;
    }

    private async Task<string?> FailureAsync(TemporalClient client, CancellationToken token)
    {
        try
        {
            await client.GetWorkflowHandle(AltRunWorkflow.IdOf(run)).GetResultAsync(rpcOptions: new() { CancellationToken = token });
            return null;
        }
        catch (WorkflowFailedException e)
        {
            return Messages.OneLine(AltRunWorkflow.Reason(e));
        }
    }

    /// <summary>Asks again where a part was killed meanwhile; the supervisor ends the wait if that cannot be started again.</summary>
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> work, CancellationToken token) => await patiently.ExecuteAsync(async _ => await work(), token);

    private static ResiliencePipeline Patiently(Func<CancellationToken, Task> pause, ILogger log) => new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        MaxRetryAttempts = int.MaxValue,
        Delay = TimeSpan.Zero,
        ShouldHandle = static a => ValueTask.FromResult(Passing.Is(a.Outcome.Exception)),
        OnRetry = async a =>
        {
            log.LogInformation("Waiting for a part that is being started again: {Reason}", Messages.Explain(a.Outcome.Exception!));
            await pause(a.Context.CancellationToken);
        },
    }).Build();

    private async Task PauseAsync(CancellationToken token)
    {
        if (await Task.WhenAny(stack.Running, Task.Delay(Tick, token)) == stack.Running)
        {
            await stack.Running;
        }

        token.ThrowIfCancellationRequested();
    }
}
