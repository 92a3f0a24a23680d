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

/// <summary>A sample's judgement: how it ended, and the calls that were made for it.</summary>
public sealed record Judgement(SampleId Id, FeedbackOutcome Outcome)
{
    /// <summary>None if no call was needed.</summary>
    public IReadOnlyList<JudgeCall> Calls { get; init; } = [];

    /// <summary>
    /// This judgement, with the calls of an earlier one that it replaces; a call found in both counts once.
    /// </summary>
    public Judgement After(Judgement? earlier) => earlier is null ? this : this with
    {
        Calls = [
            .. earlier.Calls.Where(c =>
                !Calls.Contains(c)
                    && (c.Reply is null || !Calls.Any(again => (again.Judge, again.RequestHash) == (c.Judge, c.RequestHash)))),
            .. Calls
        ],
    };
}

/// <summary>One question to a judge, and what it said.</summary>
/// <param name="Judge">What kind of judge it was.</param>
/// <param name="Version">The judge's version: everything beside the sample that its reply depends on.</param>
/// <param name="RequestHash">SHA-256 of the request's content.</param>
/// <param name="Reply">The raw reply, as it came; null where there was none.</param>
public sealed record JudgeCall(string Judge, string Version, string RequestHash, string? Reply)
{
    public int InputTokens { get; init; }

    public int OutputTokens { get; init; }

    /// <summary>In US dollars.</summary>
    public decimal Cost { get; init; }

    /// <summary>How often it was asked, retries included; 0 for a reply from the cache.</summary>
    public int Attempts { get; init; } = 1;

    /// <summary>When a remote judge replied: services change their models without notice. Null for local ones.</summary>
    public DateTimeOffset? At { get; init; }
}
