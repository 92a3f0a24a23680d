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

/// <summary>
/// Starts a run's workflow, or joins it, and shows its progress until it ends; waits while a part is restarted.
/// </summary>
internal sealed class RunFollower
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);

    private readonly AltHome _home;
    private readonly RunServices _services;
    private readonly string _run;
    private readonly ProgressDisplay _display;
    private readonly ILoggerFactory _logs;
    private readonly IterationNotes _results;
    private readonly ResiliencePipeline _patiently;

    public RunFollower(
        AltHome home, RunServices services, LedgerConnection record, string run, ProgressDisplay display, ILoggerFactory logs)
    {
        (_home, _services, _run, _display, _logs) = (home, services, run, display, logs);
        _results = new(record, run, display);
        _patiently = Patiently(PauseAsync, logs.CreateLogger<RunFollower>());
    }

    /// <returns>Why the run failed; null where it ended well.</returns>
    /// <exception cref="HostException">A part of the services cannot be kept alive.</exception>
    public async Task<string?> RunAsync(RunConfig config, CancellationToken token)
    {
        var client = await TemporalConnection.ConnectAsync(_home, _logs, _services.Running, token);
        using var attendance = await PatientlyAsync(() => RunFollowers.JoinAsync(_home, client, _run, token), token);
        await PatientlyAsync(() => StartAsync(client, config), token);
        var reader = new ProgressReader(client, _run);
        while (!await PatientlyAsync(() => ShowAsync(reader, token), token))
        {
            await PauseAsync(token);
        }

        return await PatientlyAsync(() => FailureAsync(client, token), token);
    }

    private async Task<bool> StartAsync(TemporalClient client, RunConfig config)
    {
        var workflow = AltRunWorkflow.IdOf(_run);
        try
        {
            await client.StartWorkflowAsync((AltRunWorkflow w) => w.RunAsync(config, null), new(workflow, TaskQueues.Main));
            return true;
        }
        catch (WorkflowAlreadyStartedException)
        {
            _logs.CreateLogger<RunFollower>().LogInformation("Run {Run} is under way already; it is followed", _run);
            return false;
        }
    }

    /// <returns>Whether the run has ended.</returns>
    private async Task<bool> ShowAsync(ProgressReader reader, CancellationToken token)
    {
        var snapshot = await reader.ReadAsync(token);
        _display.Show(snapshot);
        await _results.ShowNewAsync(token);
        return snapshot.Closed;
    }

    private async Task<string?> FailureAsync(TemporalClient client, CancellationToken token)
    {
        try
        {
            await client.GetWorkflowHandle(AltRunWorkflow.IdOf(_run)).GetResultAsync(rpcOptions: new() { CancellationToken = token });
            return null;
        }
        catch (WorkflowFailedException e)
        {
            return Messages.OneLine(AltRunWorkflow.Reason(e));
        }
    }

    /// <summary>Asks again if a part was killed meanwhile; the supervisor ends the wait if that part cannot be restarted.</summary>
    private async Task<T> PatientlyAsync<T>(Func<Task<T>> work, CancellationToken token) =>
        await _patiently.ExecuteAsync(async _ => await work(), token);

    private static ResiliencePipeline Patiently(Func<CancellationToken, Task> pause, ILogger log) =>
        new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = int.MaxValue,
            Delay = TimeSpan.Zero,
            ShouldHandle = static a => ValueTask.FromResult(TransientErrors.Include(a.Outcome.Exception)),
            OnRetry = async a =>
            {
                log.LogInformation("Waiting for a part that is being started again: {Reason}", Messages.Explain(a.Outcome.Exception!));
                await pause(a.Context.CancellationToken);
            },
        }).Build();

    private async Task PauseAsync(CancellationToken token)
    {
        if (await Task.WhenAny(_services.Running, Task.Delay(Tick, token)) == _services.Running)
        {
            await _services.Running;
        }

        token.ThrowIfCancellationRequested();
    }
}
