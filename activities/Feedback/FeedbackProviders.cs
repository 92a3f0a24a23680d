using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Activities.Feedback;

/// <summary>Makes the judge that a run's config names.</summary>
public sealed class FeedbackProviders(Classifiers classifiers, Checkpoints checkpoints, RemoteCalls calls)
{
    /// <exception cref="InputException">A remote judge's key is not where the config says, or a checkpoint is not what the run began with.</exception>
    public async Task<IFeedbackProvider> OpenAsync(StageInputs inputs, CancellationToken token)
    {
        var scope = new CallScope(inputs.Iteration.Run, inputs.Number, inputs.Run.Budget);
        var provider = await OpenAsync(inputs.Config.Feedback.Provider, scope, async () => await classifiers.LoadAsync(inputs.Run.Reward!.Model, token));
        checkpoints.RequireUnchanged(inputs.Run.Started!.Inputs);
        return provider;
    }

    /// <summary>Loads the checkpoints that a config's judge reads, so that one that cannot be used shows before anything is sampled.</summary>
    /// <exception cref="InputException">One cannot be used.</exception>
    public void RequireCheckpoints(FeedbackProvider config)
    {
        switch (config)
        {
            case FeedbackProvider.Ensemble ensemble:
                foreach (var member in ensemble.Members)
                {
                    RequireCheckpoints(member.Provider);
                }

                break;
            case FeedbackProvider.Checkpoint checkpoint:
                Checkpoint(checkpoint);
                break;
            case FeedbackProvider.R3 { Encoder: { } folder }:
                checkpoints.Embedder(folder);
                break;
        }
    }

    /// <summary>A judge that no run has: one to be tried out.</summary>
    /// <param name="rewardModel">Loads the text classifier, where the config asks for one.</param>
    /// <param name="asking">Above 0, remote judges are asked anew what they were asked before.</param>
    public async Task<IFeedbackProvider> OpenAsync(FeedbackProvider config, CallScope scope, Func<Task<TextClassifier>> rewardModel, int asking = 0) => config switch
    {
        FeedbackProvider.RewardModel => new TextClassifierProvider(await rewardModel()),
        FeedbackProvider.Rules rules => new RulesProvider(rules),
        FeedbackProvider.Human => new HumanProvider(scope.Run),
        FeedbackProvider.Ensemble ensemble => await EnsembleAsync(ensemble, scope, rewardModel, asking),
        FeedbackProvider.LanguageModel model => LanguageModel(model, scope, asking),
        FeedbackProvider.Scorer scorer => new ScorerProvider(scorer, Post(ScorerProvider.Service, scorer.Model, scorer, scorer.Model, ScorerProvider.Path, scope, asking)),
        FeedbackProvider.Perspective perspective => new PerspectiveProvider(
            perspective, Post(PerspectiveProvider.Service, PerspectiveProvider.VersionOf(perspective), perspective, PerspectiveProvider.Service, PerspectiveProvider.Path, scope, asking)),
        FeedbackProvider.Checkpoint checkpoint => Checkpoint(checkpoint),
        FeedbackProvider.R3 r3 => new R3Provider(
            r3,
            r3.Encoder is { } folder ? new EncodedRelevance(checkpoints.Embedder(folder))
                : new ServedRelevance(r3.Model, Post(ServedRelevance.Service, r3.Model, r3, r3.Model, ServedRelevance.Path, scope, asking)),
            r3.Classifier is { } classifier ? LanguageModel(classifier with { Categories = R3Provider.QueryTypes }, scope, asking, R3Provider.ShippedQuestion) : null),
        _ => throw new InvalidOperationException($"No provider is called {config.GetType().Name}."),
    };

    private CheckpointProvider Checkpoint(FeedbackProvider.Checkpoint config) => new(config, checkpoints.Classifier(config.Folder));

    private async Task<EnsembleProvider> EnsembleAsync(FeedbackProvider.Ensemble config, CallScope scope, Func<Task<TextClassifier>> rewardModel, int asking)
    {
        var members = new List<(double, IFeedbackProvider)>();
        foreach (var member in config.Members)
        {
            members.Add((member.Weight, await OpenAsync(member.Provider, scope, rewardModel, asking)));
        }

        return new EnsembleProvider(members);
    }

    private LanguageModelProvider LanguageModel(FeedbackProvider.LanguageModel config, CallScope scope, int asking, string? shipped = null)
    {
        var template = LanguageModelProvider.TemplateOf(config, shipped);
        var account = new RemoteAccount(config.Endpoint, config.Model, config.Calls, Secret.Read(config.ApiKey));
        var judge = new RemoteJudge(ServiceOf(LanguageModelProvider.Service, asking), LanguageModelProvider.VersionOf(config, template), calls, account, new ChatCompletions(account), scope);
        return new LanguageModelProvider(config, template, judge);
    }

    private RemoteJudge Post(string service, string version, FeedbackProvider.Remote config, string model, string path, CallScope scope, int asking)
    {
        var account = new RemoteAccount(config.Endpoint, model, config.Calls, Secret.Read(config.ApiKey));
        return new RemoteJudge(ServiceOf(service, asking), version, calls, account, new JsonPost(account, account.Endpoint.ToString().TrimEnd('/') + path), scope);
    }

    // Part of what makes a request the same as an earlier one.
    private static string ServiceOf(string service, int asking) => asking == 0 ? service : $"{service}, asking {asking + 1}";
}
