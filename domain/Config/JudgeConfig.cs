using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>Who judges a run's samples, and how it is asked.</summary>
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

    /// <summary>One line per setting that cannot work.</summary>
    /// <param name="key">Where the judge stands in the config, such as <c>feedback.judge</c>.</param>
    public virtual IEnumerable<string> Problems(string key, RunConfig config)
    {
        if (config.Selection.Ranking == Ranking.Category && this is not (LanguageModel or Human))
        {
            yield return $"selection.ranking is category, which needs a judge that gives categories: {key}.kind llm or human";
        }
    }

    /// <summary>The checkpoint folders that it reads on this machine, each with its key.</summary>
    /// <param name="key">Where the judge stands in the config.</param>
    public virtual IEnumerable<(string Key, string Folder)> Folders(string key) => [];

    /// <summary>Where the keys are that it needs.</summary>
    public virtual IEnumerable<string> KeyPlaces => [];

    /// <summary>The text classifier that the run trains (<see cref="RunConfig.RewardModel"/>): the reward is 1 - P(toxic).</summary>
    public sealed record RewardModel : JudgeConfig;

    /// <summary>People: the samples are exported, their labels imported; the run waits in between.</summary>
    public sealed record Human : JudgeConfig;
}
