using Alt.Domain;
using Alt.Infra;
using Alt.Model.Network;

namespace Alt.Activities;

/// <summary>
/// Starts a run that shares another one's recorded past. Artifacts are shared by their hashes; events and rows are the fork's own.
/// </summary>
public sealed class Forks(Ledger ledger)
{
    /// <param name="config">The parent's config with changed settings.</param>
    /// <param name="at">The iteration that the fork begins in.</param>
    /// <exception cref="InputException">
    /// The settings would change the past, the iteration is out of reach, the name is taken, or another device is asked for that is not
    /// available.
    /// </exception>
    public async Task<RunOrigin> CreateAsync(
        string parent, string fork, RunConfig config, int at, DateTimeOffset now, CancellationToken token)
    {
        var events = await ledger.RunEventsAsync(parent, token);
        var state = RunState.Fold(events);
        var keys = RunConfigFile.Differences(state.Config, config);
        if (Fork.Problems(state, config, keys, at).FirstOrDefault() is { } problem)
        {
            throw new InputException(problem);
        }

        var begun = await ledger.IterationEventsAsync(new(parent, at), token);
        var origin = new RunOrigin(parent, at, Fork.FirstStage(state, config, keys, at, IterationState.Fold(begun).Prompts), events.Count);
        var iterations = new List<IReadOnlyList<IterationEvent>>();
        for (var number = 0; number < at; number++)
        {
            iterations.Add(await ledger.IterationEventsAsync(new(parent, number), token));
        }

        iterations.Add([.. Fork.Shared(begun, origin.Stage)]);

        var inputs = await RunInputs.HashFilesAsync(config, token, state.Started!.Inputs);
        var started = new RunEvent.RunStarted(
            fork, config, AltJson.Hash(config), inputs, now, origin,
            config.Device == state.Config.Device ? state.Device : ModelDevice.Choose(config.Device));
        await ledger.StartForkAsync(fork, [started, .. Fork.Shared(events, keys, at, origin.Stage)], iterations, token);
        return origin;
    }
}
