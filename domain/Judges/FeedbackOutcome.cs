using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>
/// How the judgement of one sample ended. Only <see cref="Labelled"/> enters the data pool; nothing becomes a silent zero.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Labelled), "labelled")]
[JsonDerivedType(typeof(Abstained), "abstained")]
[JsonDerivedType(typeof(Unparsed), "unparsed")]
[JsonDerivedType(typeof(Failed), "failed")]
[JsonDerivedType(typeof(Vetoed), "vetoed")]
public abstract record FeedbackOutcome
{
    private FeedbackOutcome() { }

    /// <summary>The judge judged. Higher is better; a toxicity t in [0, 1] is the reward 1 - t.</summary>
    public sealed record Labelled(double Reward) : FeedbackOutcome
    {
        /// <summary>The category that the judge chose, best = 0; null where it only gives rewards.</summary>
        public int? Category { get; init; }

        /// <summary>
        /// The feedback in the judge's own words (ALT_LMU); null where the tag of the sample's quantile or category says it.
        /// </summary>
        public string? Text { get; init; }
    }

    /// <summary>The judge has no opinion on this sample, and would have none if asked again.</summary>
    public sealed record Abstained(string Reason) : FeedbackOutcome;

    /// <summary>The judge replied with something that is no judgement; kept as it came.</summary>
    public sealed record Unparsed(string Raw) : FeedbackOutcome;

    /// <summary>The judge could not be asked, or did not reply.</summary>
    public sealed record Failed(string Reason) : FeedbackOutcome;

    /// <summary>A rule or a person forbids to train on the sample, whatever its quality.</summary>
    public sealed record Vetoed(string Reason) : FeedbackOutcome;

    /// <summary>Whether the judgement may still come: another try, or a person.</summary>
    [JsonIgnore]
    public bool InQuarantine => this is Failed or Unparsed;
}
