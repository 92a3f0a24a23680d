using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Activities.Feedback;

/// <summary>For whom, and how, a judge is made.</summary>
/// <param name="RewardModel">Loads the run's text classifier, where the config asks for one.</param>
public sealed record JudgeUse(CallScope Scope, Func<Task<TextClassifier>> RewardModel)
{
    /// <summary>Where a judge's checkpoint is computed.</summary>
    public RunDevice Device { get; init; }

    /// <summary>Above 0, remote judges are asked anew what they were asked before.</summary>
    public int Asking { get; init; }

    /// <summary>false makes a judge that only says what it is; it needs no key.</summary>
    public bool ToAsk { get; init; } = true;
}

/// <summary>Makes the judge that a config names.</summary>
public sealed class FeedbackProviders(Classifiers classifiers, Checkpoints checkpoints, RemoteCalls calls)
{
    /// <param name="toAsk">false makes a judge that only says what it is; it needs no key.</param>
    /// <exception cref="InputException">A remote judge's key is not where the config says, or a checkpoint is not what the run began with.</exception>
    public async Task<IFeedbackProvider> OpenAsync(StageInputs inputs, CancellationToken token, bool toAsk = true)
    {
        var scope = new CallScope(inputs.Iteration.Run, inputs.Number, inputs.Run.Budget);
        var use = new JudgeUse(scope, async () => await classifiers.LoadAsync(inputs.Run.Reward!.Model, token)) { Device = inputs.Run.Device, ToAsk = toAsk };
        var provider = await OpenAsync(inputs.Config.Feedback.Provider, use);
        checkpoints.RequireUnchanged(inputs.Run.Started!.Inputs);
        return provider;
    }

    /// <summary>Loads the checkpoints that a config's judge reads, so that one that cannot be used shows before anything is sampled.</summary>
    /// <exception cref="InputException">One cannot be used.</exception>
    public void RequireCheckpoints(FeedbackProvider config, RunDevice device)
    {
        switch (config)
        {
            case FeedbackProvider.Ensemble ensemble:
                foreach (var member in ensemble.Members)
                {
                    RequireCheckpoints(member.Provider, device);
                }

                break;
            case FeedbackProvider.Checkpoint checkpoint:
                Checkpoint(checkpoint, device);
                break;
            case FeedbackProvider.R3 { Encoder: { } folder }:
                checkpoints.Embedder(folder, device);
                break;
        }
    }

    /// <exception cref="InputException">A remote judge's key is not where the config says.</exception>
    public async Task<IFeedbackProvider> OpenAsync(FeedbackProvider config, JudgeUse use) => config switch
    {
        FeedbackProvider.RewardModel => new TextClassifierProvider(await use.RewardModel()),
        FeedbackProvider.Rules rules => new RulesProvider(rules),
        FeedbackProvider.Human => new HumanProvider(use.Scope.Run),
        FeedbackProvider.Ensemble ensemble => await EnsembleAsync(ensemble, use),
        FeedbackProvider.LanguageModel model => LanguageModel(model, use),
        FeedbackProvider.Scorer scorer => new ScorerProvider(scorer, Post(ScorerProvider.Service, scorer.Model, scorer, scorer.Model, ScorerProvider.Path, use)),
        FeedbackProvider.Perspective perspective => new PerspectiveProvider(
            perspective, Post(PerspectiveProvider.Service, PerspectiveProvider.VersionOf(perspective), perspective, PerspectiveProvider.Service, PerspectiveProvider.Path, use, countsTokens: false)),
        FeedbackProvider.Checkpoint checkpoint => Checkpoint(checkpoint, use.Device),
        FeedbackProvider.R3 r3 => new R3Provider(
            r3,
            r3.Encoder is { } folder ? new EncodedRelevance(checkpoints.Embedder(folder, use.Device))
                : new ServedRelevance(r3.Model, Post(ServedRelevance.Service, r3.Model, r3, r3.Model, ServedRelevance.Path, use)),
            r3.Classifier is { } classifier ? LanguageModel(R3Provider.Asked(classifier), use, R3Provider.ShippedQuestion) : null),
        _ => throw new InvalidOperationException($"No provider is called {config.GetType().Name}."),
    };

    private CheckpointProvider Checkpoint(FeedbackProvider.Checkpoint config, RunDevice device) => new(config, checkpoints.Classifier(config.Folder, device));

    private async Task<EnsembleProvider> EnsembleAsync(FeedbackProvider.Ensemble config, JudgeUse use)
    {
        var members = new List<(double, IFeedbackProvider)>();
        foreach (var member in config.Members)
        {
            members.Add((member.Weight, await OpenAsync(member.Provider, use)));
        }

        return new EnsembleProvider(members);
    }

    private LanguageModelProvider LanguageModel(FeedbackProvider.LanguageModel config, JudgeUse use, string? shipped = null)
    {
        var template = LanguageModelProvider.TemplateOf(config, shipped);
        var account = Account(config, config.Model, use);
        return new LanguageModelProvider(config, template, new RemoteJudge(
            LanguageModelProvider.Service, LanguageModelProvider.VersionOf(config, template), calls, account, new ChatCompletions(account), use));
    }

    private RemoteJudge Post(string service, string version, FeedbackProvider.Remote config, string model, string path, JudgeUse use, bool countsTokens = true)
    {
        var account = Account(config, model, use);
        return new RemoteJudge(service, $"{version} at {account.Endpoint}", calls, account, new JsonPost(account, account.Endpoint.ToString().TrimEnd('/') + path), use) { CountsTokens = countsTokens };
    }

    private static RemoteAccount Account(FeedbackProvider.Remote config, string model, JudgeUse use) =>
        new(config.Endpoint, model, config.Calls, use.ToAsk ? Secret.Read(config.ApiKey) : null);
}
