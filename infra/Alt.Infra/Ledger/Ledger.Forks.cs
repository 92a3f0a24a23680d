using Alt.Domain;

namespace Alt.Infra;

public sealed partial class Ledger
{
    /// <summary>A run's facts in their order; empty if the run does not exist.</summary>
    public async Task<IReadOnlyList<RunEvent>> RunEventsAsync(string run, CancellationToken token = default) =>
        [.. (await EventsAsync(RunStream(run), token)).Cast<RunEvent>()];

    /// <summary>An iteration's facts in their order.</summary>
    public async Task<IReadOnlyList<IterationEvent>> IterationEventsAsync(IterationRef iteration, CancellationToken token = default) =>
        [.. (await EventsAsync(IterationStream(iteration), token)).Cast<IterationEvent>()];

    /// <summary>Starts a run that already has a past, in one transaction.</summary>
    /// <param name="iterations">The facts of iteration 0, 1, …; an iteration without any has no stream yet.</param>
    /// <exception cref="InputException">A run of that name exists.</exception>
    public async Task StartForkAsync(
        string run, IReadOnlyList<RunEvent> events, IReadOnlyList<IReadOnlyList<IterationEvent>> iterations,
        CancellationToken token = default)
    {
        await using var session = _store.LightweightSession();
        await HoldStreamAsync(session, RunStream(run), token);
        if (await session.Events.FetchStreamStateAsync(RunStream(run), token) is not null)
        {
            throw new InputException($"--run-id {run}: there is a run of that name; give another one");
        }

        await foreach (var change in ChangesOfAsync(events, iterations, token))
        {
            await change(session.Connection, token);
        }

        session.Events.StartStream(RunStream(run), [.. events]);
        session.QueueSqlCommand(Seals.AppendStream, RunStream(run));
        foreach (var (number, past) in iterations.Index().Where(i => i.Item.Count > 0))
        {
            session.Events.StartStream(IterationStream(new(run, number)), [.. past]);
            session.QueueSqlCommand(Seals.AppendStream, IterationStream(new(run, number)));
        }

        await session.SaveChangesAsync(token);
    }
}
