using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Starts a run that shares another one's recorded past. Artifacts are shared by their hashes; events and rows are the fork's own.</summary>
public sealed class Forks(Ledger ledger, ArtifactStore artifacts)
{
    /// <param name="config">The parent's config with changed settings.</param>
    /// <param name="at">The iteration that the fork begins in.</param>
    /// <exception cref="InputException">The settings would change the past, the iteration is out of reach, or the name is taken.</exception>
    public async Task<RunOrigin> CreateAsync(string parent, string fork, RunConfig config, int at, DateTimeOffset now, CancellationToken token)
    {
        var events = await ledger.RunEventsAsync(parent, token);
        var state = RunState.Fold(events);
        var keys = RunConfigFile.Differences(state.Config, config);
        if (Fork.Problems(state, config, keys, at).FirstOrDefault() is { } problem)
        {
            throw new InputException(problem);
        }

        var origin = new RunOrigin(parent, at, Fork.FirstStage(state.Config, config, keys, at), events.Count);
        var iterations = new List<IReadOnlyList<IterationEvent>>();
        var changes = new List<ProjectionChange> { Projections.AddRun(fork, now) };
        for (var number = 0; number <= at; number++)
        {
            var past = await ledger.IterationEventsAsync(parent, number, token);
            IReadOnlyList<IterationEvent> shared = number < at ? past : [.. Fork.Shared(past, origin.Stage)];
            iterations.Add(shared);
            changes.AddRange(await RowsAsync(parent, fork, number, config.Seed, shared, token));
        }

        var started = new RunEvent.RunStarted(fork, config, RunInputs.ConfigHash(config), state.Started!.Inputs, now, origin);
        await ledger.StartForkAsync(fork, [started, .. Fork.Shared(events, keys, at)], iterations, changes, token);
        return origin;
    }

    /// <summary>The rows of an iteration's shared events, made as the events' own activities make them.</summary>
    private async Task<IReadOnlyList<ProjectionChange>> RowsAsync(
        string parent, string fork, int number, long seed, IReadOnlyList<IterationEvent> events, CancellationToken token)
    {
        var changes = new List<ProjectionChange>();
        foreach (var e in events)
        {
            switch (e)
            {
                case IterationEvent.ChunkFinished { Stage: Stage.Sampling } chunk:
                    var (_, policy) = await PolicyTrail.AfterAsync(ledger, parent, number - 1, token);
                    changes.Add(Projections.AddSamples(fork, chunk.Chunk, policy, seed, await artifacts.ReadJsonLinesAsync<Sample>(chunk.Result, token).ToArrayAsync(token)));
                    break;
                case IterationEvent.ChunkFinished { Stage: Stage.Feedback } chunk:
                    changes.Add(Projections.SetOutcomes(fork, await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token).Select(j => (j.Id, j.Outcome)).ToArrayAsync(token)));
                    break;
                case IterationEvent.DataPoolUpdated updated:
                    changes.Add(Projections.SetQuantiles(fork, await artifacts.ReadJsonLinesAsync<PoolEntry>(updated.Pool, token).ToArrayAsync(token)));
                    break;
                case IterationEvent.BatchSelected selected:
                    changes.Add(Projections.SetSelection(fork, number, await artifacts.ReadJsonLinesAsync<SelectedSample>(selected.Batch, token).ToArrayAsync(token)));
                    break;
            }
        }

        return changes;
    }
}
