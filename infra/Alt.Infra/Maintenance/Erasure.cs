using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Infra.Calls;
using Npgsql;

namespace Alt.Infra;

/// <summary>What descends from a prompt.</summary>
/// <param name="Runs">Every run that has the prompt, since they share its artifacts.</param>
/// <param name="Artifacts">How many artifacts hold its texts.</param>
/// <param name="Done">Whether the texts are gone now.</param>
public sealed record ErasureReport(int Prompt, IReadOnlyList<ErasedFromRun> Runs, int Artifacts, bool Done);

/// <summary>What descends from a prompt in one run.</summary>
/// <param name="Samples">Generations by iteration.</param>
/// <param name="TrainedIn">Iterations that trained on some of them.</param>
/// <param name="Policies">Hashes of all weights that have learnt from them, by iteration.</param>
/// <param name="BaseModel">Whether the base model was pretrained on the prompt's text.</param>
public sealed record ErasedFromRun(
    string Run, IReadOnlyDictionary<int, long> Samples, IReadOnlyList<int> TrainedIn, IReadOnlyDictionary<int, string> Policies,
    bool BaseModel);

/// <summary>
/// Removes a prompt's texts from the artifacts: the prompt, its generations and tokens, the judges' replies, also where they were kept for
/// others or given to other prompts as exemplars, and where the same text was labelled or pretrained on. Ids, counts, rewards, content
/// hashes and decisions stay, so the arithmetic still holds. Weights stay too.
/// </summary>
public sealed class Erasure(Ledger ledger, ArtifactStore artifacts, RemoteCalls calls)
{
    /// <summary>What would be erased; changes nothing.</summary>
    /// <exception cref="InputException">The prompt does not exist, or a run that has it is in the middle of an iteration.</exception>
    public async Task<ErasureReport> PlanAsync(string run, int prompt, CancellationToken token = default)
    {
        var (runs, count) = (new List<ErasedFromRun>(), 0);
        foreach (var (name, state) in await RunsAsync(run, prompt, token))
        {
            var changes = await ChangesAsync(name, state, prompt, token);
            count += changes.Count;
            runs.Add(
                await DescendantsAsync(name, state, prompt, state.Data!.Text is { } text && changes.Any(c => c.Artifact == text), token));
        }

        return new ErasureReport(prompt, runs, count, false);
    }

    /// <summary>Records the erasure, then carries it out; a call after an interruption continues it.</summary>
    /// <exception cref="InputException">The prompt does not exist, or a run that has it is in the middle of an iteration.</exception>
    public async Task<ErasureReport> EraseAsync(string run, int prompt, DateTimeOffset now, CancellationToken token = default)
    {
        var plan = await PlanAsync(run, prompt, token);
        var recorded = new List<RunEvent.PromptErased>();
        foreach (var (name, state) in await RunsAsync(run, prompt, token))
        {
            // Before the event: after it, the artifacts no longer show what else exists.
            await ForgetRepliesAsync(name, state, prompt, token);
            var replaced = new SortedDictionary<string, ArtifactRef>(StringComparer.Ordinal);
            foreach (var (artifact, content) in await ChangesAsync(name, state, prompt, token))
            {
                replaced[artifact.Hash] = await artifacts.PutAsync(content, artifact.MediaType, token);
            }

            recorded.Add(await ledger.RecordAsync(
                name, s => s.Erasures.FirstOrDefault(e => e.Prompt == prompt),
                new RunEvent.PromptErased(prompt, state.IterationsFinished, replaced, now), token: token));
        }

        foreach (var (hash, by) in recorded.SelectMany(e => e.Replaced))
        {
            artifacts.Replace(hash, by);
        }

        return plan with { Done = true };
    }

    /// <summary>All runs that imported the same prompts: their ordinals are the same, and so are their artifacts.</summary>
    private async Task<IReadOnlyList<(string Run, RunState State)>> RunsAsync(string run, int prompt, CancellationToken token)
    {
        var own = await ledger.ExistingRunAsync(run, token);
        if (own.Data is not { } data || prompt < 0 || prompt >= data.PromptCount)
        {
            throw new InputException($"run '{run}' has no prompt {prompt}; its prompts are 0 to {(own.Data?.PromptCount ?? 0) - 1}");
        }

        var runs = new List<(string, RunState)>();
        foreach (var name in await ledger.RunsAsync(token))
        {
            var state = await ledger.RunAsync(name, token);
            if (state.Data?.Prompts.Hash == data.Prompts.Hash)
            {
                if (state.IterationsFinished <= state.Config.Iterations
                    && (await ledger.IterationAsync(new(name, state.IterationsFinished), token)).Prompts is not null)
                {
                    throw new InputException(
                        $"run '{name}' has the prompt too and is in the middle of iteration {state.IterationsFinished}: let it finish that "
                        + $"(./alt run --run-id {name}, then ./alt stop {name}), and erase then");
                }

                runs.Add((name, state));
            }
        }

        return runs;
    }

    private async Task<ErasedFromRun> DescendantsAsync(string run, RunState state, int prompt, bool baseModel, CancellationToken token)
    {
        var samples = new SortedDictionary<int, long>();
        var trained = new List<int>();
        await using (var command = ledger.Source.CreateCommand(
            "select iteration, count(*) from alt_samples where run = $1 and prompt = $2 group by 1"))
        {
            await ReadAsync(command, r => samples[r.GetInt32(0)] = r.GetInt64(1));
        }

        await using (var command = ledger.Source.CreateCommand(
            "select distinct training from alt_training_steps where run = $1 and prompt = $2 order by 1"))
        {
            await ReadAsync(command, r => trained.Add(r.GetInt32(0)));
        }

        var policies = new SortedDictionary<int, string>();
        for (var number = baseModel ? 1 : trained.FirstOrDefault(int.MaxValue); number <= state.Config.Iterations; number++)
        {
            if ((await ledger.IterationAsync(new(run, number), token)).Training is { } training)
            {
                policies[number] = training.WeightsHash;
            }
        }

        return new ErasedFromRun(run, samples, trained, policies, baseModel);

        async Task ReadAsync(NpgsqlCommand command, Action<NpgsqlDataReader> row)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = run });
            command.Parameters.Add(new NpgsqlParameter { Value = prompt });
            await using var reader = await command.ExecuteReaderAsync(token);
            while (await reader.ReadAsync(token))
            {
                row(reader);
            }
        }
    }

    /// <summary>
    /// Removes the judges' replies from the database: those kept for others that ask the same, and those that became exemplars.
    /// </summary>
    private async Task ForgetRepliesAsync(string run, RunState state, int prompt, CancellationToken token)
    {
        var judged = new List<Judgement>();
        for (var number = 1; number <= state.Config.Iterations; number++)
        {
            var chunks = await JudgedAsync(run, number, token);
            judged.AddRange(await artifacts.ReadJsonLinesAsync<Judgement>(chunks.Select(c => c.Result), token)
                .Where(j => j.Id.Prompt == prompt).ToArrayAsync(token));
        }

        await calls.ForgetAsync([.. judged.SelectMany(j => j.Calls).Select(c => c.RequestHash).Distinct()], token);
        await using var command = ledger.Source.CreateCommand(
            "update alt_samples set conditioning = '' where run = $1 and conditioning = any($2)");
        command.Parameters.Add(new NpgsqlParameter { Value = run });
        command.Parameters.Add(new NpgsqlParameter { Value = FeedbackTexts(judged).ToArray() });
        await command.ExecuteNonQueryAsync(token);
    }

    /// <summary>All judgements of an iteration, including those replaced when samples in quarantine were judged again.</summary>
    private async Task<IEnumerable<IterationEvent.ChunkFinished>> JudgedAsync(string run, int iteration, CancellationToken token) =>
        (await ledger.IterationEventsAsync(new(run, iteration), token))
            .OfType<IterationEvent.ChunkFinished>().Where(c => c.Stage == Stage.Feedback);

    private static HashSet<string> FeedbackTexts(IEnumerable<Judgement> judged) =>
        [.. judged.Select(j => (j.Outcome as FeedbackOutcome.Labelled)?.Text).Where(t => !string.IsNullOrEmpty(t)).OfType<string>()];

    /// <summary>The artifacts that hold the prompt's texts, with the content that they will have.</summary>
    private async Task<IReadOnlyList<(ArtifactRef Artifact, byte[] Content)>> ChangesAsync(
        string run, RunState state, int prompt, CancellationToken token)
    {
        var (data, changes) = (state.Data!, new List<(ArtifactRef, byte[])>());
        var text = await artifacts.ReadJsonLinesAsync<Prompt>(data.Prompts, prompt, token).Select(p => p.Text).FirstAsync(token);
        await ChangeAsync<Prompt>(data.Prompts, p =>
            p.Ordinal == prompt && p.Text.Length > 0 ? p with { Text = "", Reference = null } : null);
        if (text.Length > 0)
        {
            await ChangeAsync<LabelledText>(data.Labelled, t => t.Text == text ? t with { Text = "" } : null);
            if (data.Text is { } pretraining)
            {
                await ChangeAsync<JsonObject>(pretraining, line =>
                    line["text"]?.GetValue<string>().StartsWith(text, StringComparison.Ordinal) == true ? WithoutText(line) : null);
            }
        }

        var exemplars = new HashSet<string>();
        for (var number = 1; number <= state.Config.Iterations; number++)
        {
            var iteration = await ledger.IterationAsync(new(run, number), token);
            if (iteration.Prompts is { } drawn)
            {
                await ChangeAsync<Prompt>(drawn.Prompts, p =>
                    p.Ordinal == prompt && p.Text.Length > 0 ? p with { Text = "", Reference = null } : null);
            }

            foreach (var chunk in iteration.Chunks(Stage.Sampling))
            {
                await ChangeAsync<Sample>(chunk.Result, s =>
                    s.Id.Prompt == prompt && s.ErasedContent is null ? Tombstone(s)
                    : s.Conditioning is { } given && exemplars.Contains(given) ? s with { Conditioning = "" }
                    : null);
            }

            // The feedback of one iteration is an input of the next.
            foreach (var chunk in await JudgedAsync(run, number, token))
            {
                exemplars.UnionWith(FeedbackTexts(await artifacts.ReadJsonLinesAsync<Judgement>(chunk.Result, token)
                    .Where(j => j.Id.Prompt == prompt).ToArrayAsync(token)));
                await ChangeAsync<Judgement>(chunk.Result, j => j.Id.Prompt == prompt && HasText(j) ? Tombstone(j) : null);
            }
        }

        foreach (var labelled in state.Labels)
        {
            await ChangeAsync<HumanLabel>(labelled.Labels, l =>
                l.Id.Prompt == prompt && l.Text is { Length: > 0 } ? l with { Text = "" } : null);
        }

        return changes;

        async Task ChangeAsync<T>(ArtifactRef artifact, Func<T, T?> change)
            where T : class
        {
            // Unchanged lines stay identical to the byte.
            var changed = false;
            var content = new StringBuilder();
            foreach (var line in Encoding.UTF8.GetString(await artifacts.ReadAsync(artifact, token))
                .Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var after = change(JsonSerializer.Deserialize<T>(line, AltJson.Options)!);
                changed |= after is not null;
                content.Append(after is null ? line : JsonSerializer.Serialize(after, AltJson.Options)).Append('\n');
            }

            if (changed)
            {
                changes.Add((artifact, Encoding.UTF8.GetBytes(content.ToString())));
            }
        }
    }

    private static Sample Tombstone(Sample s) =>
        s with { Text = "", Tokens = new int[s.Tokens.Length], LogProbs = new float[s.LogProbs.Length], ErasedContent = s.ContentHash() };

    private static bool HasText(Judgement j) =>
        j.Outcome is FeedbackOutcome.Unparsed { Raw.Length: > 0 } or FeedbackOutcome.Vetoed { Reason.Length: > 0 }
            or FeedbackOutcome.Labelled { Text.Length: > 0 } || j.Calls.Any(c => c.Reply is not null);

    private static Judgement Tombstone(Judgement j) => j with
    {
        Outcome = j.Outcome switch
        {
            FeedbackOutcome.Unparsed => new FeedbackOutcome.Unparsed(""),
            FeedbackOutcome.Vetoed => new FeedbackOutcome.Vetoed(""),
            FeedbackOutcome.Labelled { Text: not null } label => label with { Text = "" },
            var outcome => outcome,
        },
        Calls = [.. j.Calls.Select(c => c with { Reply = null })],
    };

    private static JsonObject WithoutText(JsonObject line)
    {
        line["text"] = "";
        return line;
    }
}
