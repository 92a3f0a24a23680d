using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>Draws the prompts that an iteration works on.</summary>
public sealed class PromptsStage(ArtifactStore artifacts)
{
    public async Task<IterationEvent.PromptsDrawn> DrawAsync(StageInputs inputs, CancellationToken token)
    {
        var (config, data) = (inputs.Config, inputs.Run.Data!);
        var erased = inputs.Run.ErasedIn(inputs.Number);
        int[] ordinals = [.. Prompts.Draw(config.Seed, inputs.Number, data.PromptCount, config.Prompts.CountIn(inputs.Number))
            .Where(p => !erased.Contains(p))];
        var prompts = await artifacts.ReadJsonLinesAsync<Prompt>(data.Prompts, token).ToArrayAsync(token);
        return new IterationEvent.PromptsDrawn(
            await artifacts.PutJsonLinesAsync(ordinals.Select(i => prompts[i]), token),
            ordinals.Length,
            Prompts.Chunks(ordinals.Length, config.Sampling.ChunkPrompts));
    }
}
