using System.Diagnostics;
using Alt.Activities.Feedback;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities;

/// <summary>A text classifier trained on the run's labelled texts, or the one that an earlier run made of the same inputs.</summary>
public sealed class ClassifierStage(Ledger ledger, ArtifactStore artifacts)
{
    /// <returns>The fact, and the model for later runs to find.</returns>
    public async Task<(RunEvent.ClassifierTrained Fact, PreparedModel Model)> TrainAsync(
        RunState state, ClassifierRole role, ClassifierConfig config, CancellationToken token)
    {
        var labelled = state.Data!.Labelled;
        var inputs = AltJson.Hash(new { Labelled = labelled.Hash, config.Rows, config.Characters, config.L2 });
        var clock = Stopwatch.StartNew();
        var known = await ledger.PreparedAsync(inputs, token);
        var reused = known is not null && artifacts.Exists(known.Artifact);
        var model = reused ? known! : await TrainAsync(labelled, config, inputs, token);
        return (new(role, model.Artifact, model.Hash, reused, model.Texts, clock.Elapsed.TotalSeconds), model);
    }

    private async Task<PreparedModel> TrainAsync(ArtifactRef labelled, ClassifierConfig config, string inputs, CancellationToken token)
    {
        var texts = await artifacts.ReadJsonLinesAsync<LabelledText>(labelled, token)
            .Where(t => Takes(config.Rows, t.Row)).ToArrayAsync(token);
        var classifier = TextClassifier.Train(texts, config.Characters, config.L2);
        var artifact = await artifacts.PutAsync(classifier.ToBytes(), ArtifactStore.Bytes, token);
        return new PreparedModel(inputs, artifact, classifier.Hash, texts.Length, 0, 0);
    }

    private static bool Takes(LabelledRows rows, int row) => rows switch
    {
        LabelledRows.Odd => row % 2 == 1,
        LabelledRows.Even => row % 2 == 0,
        _ => true,
    };
}
