using System.Text.RegularExpressions;

namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>Regular expressions and lengths, for tests and as guards. The first rule that holds decides.</summary>
    public sealed record Rules : JudgeConfig
    {
        public IReadOnlyList<FeedbackRule> List { get; init; } = [];

        /// <summary>The reward if no rule applies; null then gives no opinion.</summary>
        public double? Otherwise { get; init; }

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(List.Count == 0 ? [$"{key}.list is empty, expected rules"] : [])
                .Concat(List.Index().SelectMany(rule => rule.Item.Problems($"{key}.list[{rule.Index}]")));
    }
}

/// <summary>A rule holds where all its conditions do.</summary>
public sealed record FeedbackRule
{
    /// <summary>A regular expression that the generation matches somewhere; null matches all.</summary>
    public string? Matches { get; init; }

    /// <summary>Least number of characters, without outer white space.</summary>
    public int MinLength { get; init; }

    /// <summary>Most characters; 0 is no limit.</summary>
    public int MaxLength { get; init; }

    public double Reward { get; init; }

    /// <summary>The sample is kept out of the pool whatever other judges say; its reward is then ignored.</summary>
    public bool Veto { get; init; }

    public bool Holds(string text)
    {
        var length = text.Trim().Length;
        return length >= MinLength && (MaxLength == 0 || length <= MaxLength)
            && (Matches is null || Regex.IsMatch(text, Matches, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
    }

    public IEnumerable<string> Problems(string key)
    {
        if (Matches is not null && !IsExpression(Matches))
        {
            yield return $"{key}.matches is '{Matches}', expected a regular expression without backreferences and lookarounds";
        }

        if (MinLength < 0 || MaxLength < 0 || MaxLength > 0 && MaxLength < MinLength)
        {
            yield return $"{key}: minLength {MinLength} and maxLength {MaxLength} do not fit together";
        }
    }

    private static bool IsExpression(string pattern)
    {
        try
        {
            _ = Regex.IsMatch("", pattern, RegexOptions.NonBacktracking);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
