using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>How the judgement of one sample ended. Only <see cref="Labelled"/> enters the data pool; nothing becomes a silent zero.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(Labelled), "labelled")]
[JsonDerivedType(typeof(Abstained), "abstained")]
[JsonDerivedType(typeof(Unparsed), "unparsed")]
[JsonDerivedType(typeof(Failed), "failed")]
public abstract record FeedbackOutcome
{
    private FeedbackOutcome() { }

    /// <summary>The provider judged. Higher is better; a toxicity t in [0, 1] is the reward 1 - t.</summary>
    public sealed record Labelled(double Reward) : FeedbackOutcome;

    /// <summary>The provider has no opinion on this sample, and would have none if asked again.</summary>
    public sealed record Abstained(string Reason) : FeedbackOutcome;

    /// <summary>The provider replied with something that is no judgement; kept as it came.</summary>
    public sealed record Unparsed(string Raw) : FeedbackOutcome;

    /// <summary>The provider could not be asked, or did not reply.</summary>
    public sealed record Failed(string Reason) : FeedbackOutcome;
}
