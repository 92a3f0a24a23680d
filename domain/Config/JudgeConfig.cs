using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>The judge of a run's samples, and its settings.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RewardModel), "rewardModel")]
[JsonDerivedType(typeof(Checkpoint), "checkpoint")]
[JsonDerivedType(typeof(Scorer), "scorer")]
[JsonDerivedType(typeof(Perspective), "perspective")]
[JsonDerivedType(typeof(LanguageModel), "llm")]
[JsonDerivedType(typeof(R3), "r3")]
[JsonDerivedType(typeof(Rules), "rules")]
[JsonDerivedType(typeof(Human), "human")]
[JsonDerivedType(typeof(Ensemble), "ensemble")]
public abstract partial record JudgeConfig
{
    private JudgeConfig() { }

    /// <summary>One line per invalid setting.</summary>
    /// <param name="key">The judge's path in the config, such as <c>feedback.judge</c>.</param>
    public virtual IEnumerable<string> Problems(string key, RunConfig config)
    {
        if (config.Selection.Ranking == Ranking.Category && this is not (LanguageModel or Human))
        {
            yield return $"selection.ranking is category, which needs a judge that gives categories: {key}.kind llm or human";
        }
    }

    /// <summary>The checkpoint folders that it reads on this machine, each with its key.</summary>
    /// <param name="key">The judge's path in the config.</param>
    public virtual IEnumerable<(string Key, string Folder)> Folders(string key) => [];

    /// <summary>Where the keys that it needs are stored.</summary>
    public virtual IEnumerable<string> KeyPlaces => [];

    /// <summary>The text classifier that the run trains (<see cref="RunConfig.RewardModel"/>): the reward is 1 - P(toxic).</summary>
    public sealed record RewardModel : JudgeConfig;

    /// <summary>People: the samples are exported, their labels imported; the run waits in between.</summary>
    public sealed record Human : JudgeConfig;
}
