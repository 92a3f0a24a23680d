using System.Collections.Concurrent;
using Alt.Domain;
using Alt.Infra;

namespace Alt.Activities.Feedback;

/// <summary>
/// The classifiers that a worker keeps in memory, loaded once from verified artifacts; immutable, so any activity may use them.
/// </summary>
public sealed class Classifiers(ArtifactStore artifacts)
{
    private readonly ConcurrentDictionary<string, TextClassifier> _loaded = new();

    public async Task<TextClassifier> LoadAsync(ArtifactRef artifact, CancellationToken token)
    {
        if (_loaded.TryGetValue(artifact.Hash, out var known))
        {
            return known;
        }

        var classifier = TextClassifier.Load(await artifacts.VerifiedPathAsync(artifact, token));
        return _loaded.GetOrAdd(artifact.Hash, classifier);
    }
}
