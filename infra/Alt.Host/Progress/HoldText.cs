using Alt.Domain;

namespace Alt.Host.Progress;

/// <summary>A hold with what the user can type about it.</summary>
internal static class HoldText
{
    public static string Of(Hold hold, string run) => $"{hold.Reason}: {Advice(hold.Kind, run)}";

    private static string Advice(HoldKind kind, string run) => kind switch
    {
        HoldKind.Labels =>
            $"./alt feedback export {run} --out FILE, then ./alt feedback import {run} FILE --author NAME, then ./alt resume {run}",
        HoldKind.Quarantine =>
            $"./alt feedback retry {run} asks again for those without a reply, ./alt feedback export {run} lets people label them, "
            + $"./alt resume {run} --failures SHARE continues without them",
        HoldKind.RunBudget => More(run, "--budget USD"),
        HoldKind.IterationBudget => More(run, "--iteration-budget USD"),
        HoldKind.RunTokens => More(run, "--tokens N"),
        HoldKind.IterationTokens => More(run, "--iteration-tokens N"),
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static string More(string run, string option) => $"./alt resume {run} {option} continues with more";
}
