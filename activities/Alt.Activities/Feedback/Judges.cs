using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Activities.Feedback;

/// <summary>For whom, and how, a judge is made.</summary>
/// <param name="RewardModel">Loads the run's text classifier, where the config asks for one.</param>
public sealed record JudgeUse(CallScope Scope, Func<Task<TextClassifier>> RewardModel)
{
    /// <summary>Where a judge's checkpoint is computed.</summary>
    public RunDevice Device { get; init; }

    /// <summary>Above 0, remote judges are asked again what they were asked before.</summary>
    public int Asking { get; init; }

    /// <summary>false makes a judge that only says what it is; it needs no key.</summary>
    public bool ToAsk { get; init; } = true;
}

/// <summary>Makes the judge that a config names.</summary>
public sealed class Judges(Classifiers classifiers, Checkpoints checkpoints, RemoteCalls calls)
{
    /// <param name="toAsk">false makes a judge that only says what it is; it needs no key.</param>
    /// <exception cref="InputException">
    /// A remote judge's key is not where the config says, or a checkpoint is not what the run began with.
    /// </exception>
    public async Task<IJudge> OpenAsync(StageInputs inputs, CancellationToken token, bool toAsk = true)
    {
        var scope = new CallScope(inputs.Iteration.Run, inputs.Number, inputs.Run.Budget);
        var use = new JudgeUse(scope, async () =>
            await classifiers.LoadAsync(inputs.Run.RewardClassifier!.Model, token))
        { Device = inputs.Run.Device, ToAsk = toAsk };
        var judge = await OpenAsync(inputs.Config.Feedback.Judge, use);
        checkpoints.RequireUnchanged(inputs.Run.Started!.Inputs);
        return judge;
    }

    /// <summary>
    /// Loads the checkpoints that a config's judge reads, so that one that cannot be used shows before anything is sampled.
    /// </summary>
    /// <exception cref="InputException">One cannot be used.</exception>
    public void RequireCheckpoints(JudgeConfig config, RunDevice device)
    {
        switch (config)
        {
            case JudgeConfig.Ensemble ensemble:
                foreach (var member in ensemble.Members)
                {
                    RequireCheckpoints(member.Judge, device);
                }

                break;
            case JudgeConfig.Checkpoint checkpoint:
                Checkpoint(checkpoint, device);
                break;
            case JudgeConfig.R3 { Encoder: { } folder }:
                checkpoints.Embedder(folder, device);
                break;
        }
    }

    /// <exception cref="InputException">A remote judge's key is not where the config says.</exception>
    public async Task<IJudge> OpenAsync(JudgeConfig config, JudgeUse use) => config switch
    {
        JudgeConfig.RewardModel => new TextClassifierJudge(await use.RewardModel()),
        JudgeConfig.Rules rules => new RulesJudge(rules),
        JudgeConfig.Human => new HumanJudge(),
        JudgeConfig.Ensemble ensemble => await EnsembleAsync(ensemble, use),
        JudgeConfig.LanguageModel model => LanguageModel(model, use),
        JudgeConfig.Scorer scorer =>
            new ScorerJudge(scorer, Post(ScorerJudge.Service, scorer.Model, scorer, scorer.Model, ScorerJudge.Path, use)),
        JudgeConfig.Perspective perspective => new PerspectiveJudge(
            perspective, Post(
                PerspectiveJudge.Service, PerspectiveJudge.VersionOf(perspective), perspective, PerspectiveJudge.Service,
                PerspectiveJudge.Path, use, countsTokens: false)),
        JudgeConfig.Checkpoint checkpoint => Checkpoint(checkpoint, use.Device),
        JudgeConfig.R3 r3 => new R3Judge(
            r3,
            r3.Encoder is { } folder ? new EncodedRelevance(checkpoints.Embedder(folder, use.Device))
                : new ServedRelevance(r3.Model, Post(ServedRelevance.Service, r3.Model, r3, r3.Model, ServedRelevance.Path, use)),
            r3.Classifier is { } classifier ? LanguageModel(R3Judge.Asked(classifier), use, R3Judge.ShippedQuestion) : null),
        _ => throw new InvalidOperationException($"No judge is called {config.GetType().Name}."),
    };

    private CheckpointJudge Checkpoint(JudgeConfig.Checkpoint config, RunDevice device) =>
        new(config, checkpoints.Classifier(config.Folder, device));

    private async Task<EnsembleJudge> EnsembleAsync(JudgeConfig.Ensemble config, JudgeUse use)
    {
        var members = new List<(double, IJudge)>();
        foreach (var member in config.Members)
        {
            members.Add((member.Weight, await OpenAsync(member.Judge, use)));
        }

        return new EnsembleJudge(members);
    }

    private LanguageModelJudge LanguageModel(JudgeConfig.LanguageModel config, JudgeUse use, string? shipped = null)
    {
        var template = LanguageModelJudge.TemplateOf(config, shipped);
        var account = Account(config, config.Model, use);
        return new LanguageModelJudge(config, template, new RemoteJudge(
            LanguageModelJudge.Service, LanguageModelJudge.VersionOf(config, template), calls, account, new ChatCompletions(account), use));
    }

    private RemoteJudge Post(
        string service, string version, JudgeConfig.Remote config, string model, string path, JudgeUse use, bool countsTokens = true)
    {
        var account = Account(config, model, use);
        return new RemoteJudge(
            service, $"{version} at {account.Endpoint}", calls, account,
            new JsonPost(account, account.Endpoint.ToString().TrimEnd('/') + path), use)
        { CountsTokens = countsTokens };
    }

    private static RemoteAccount Account(JudgeConfig.Remote config, string model, JudgeUse use) =>
        new(config.Endpoint, model, config.Calls, use.ToAsk ? Secret.Read(config.ApiKey) : null);
}
