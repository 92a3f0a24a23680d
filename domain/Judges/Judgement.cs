namespace Alt.Domain;

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
