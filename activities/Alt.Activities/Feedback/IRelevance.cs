using Alt.Domain;

namespace Alt.Activities.Feedback;

/// <summary>
/// How much two texts are about the same, as the dot product of their embeddings (no cosine): by a service, or by an encoder on this
/// machine.
/// </summary>
internal interface IRelevance
{
    /// <summary>Everything beside the texts that the answer depends on.</summary>
    string Version { get; }

    /// <param name="progress">Gets the number of newly answered pairs; calls may come from any thread.</param>
    /// <returns>One answer for each pair, in their order.</returns>
    /// <exception cref="HoldException">The budget does not allow another question.</exception>
    Task<IReadOnlyList<RelevanceAnswer>> AskAsync(IReadOnlyList<RelevancePair> pairs, IProgress<int>? progress, CancellationToken token);
}

/// <param name="Id">The sample that it is asked for.</param>
internal sealed record RelevancePair(SampleId Id, string One, string Other);

/// <param name="Relevance">Null where there is none, for the reason that <paramref name="Problem"/> says.</param>
internal sealed record RelevanceAnswer(double? Relevance, FeedbackOutcome? Problem, JudgeCall Call);
