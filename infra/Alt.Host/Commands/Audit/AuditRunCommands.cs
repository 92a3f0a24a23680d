using System.CommandLine;
using Alt.Infra.Audits;

namespace Alt.Host.Commands;

/// <summary><c>alt audit diff</c> and <c>alt audit cost</c>: figures of a run's iterations.</summary>
internal static class AuditRunCommands
{
    public static Command Diff()
    {
        var run = Options.Run();
        var from = new Argument<int>("K1") { Description = "An iteration." };
        var to = new Argument<int>("K2") { Description = "Another one." };
        return AuditCommand.Asking(
            "diff", "Print two iterations of a run beside each other.",
            (parsed, audit, token) =>
                audit.DiffAsync(RunId.Check(parsed.GetValue(run)!), parsed.GetValue(from), parsed.GetValue(to), token),
            (output, diff) => output.Result(
                diff,
                new Listing(
                    ["figure", $"iteration {diff.From}", $"iteration {diff.To}"],
                    [
                        .. diff.Figures.Select(f => (IReadOnlyList<object?>)[f.Name, f.From, f.To]),
                        .. diff.Moves.Select(m => (IReadOnlyList<object?>)[$"{m.Samples} samples: quantile", m.From, m.To]),
                    ])),
            run, from, to).WithExamples("./alt audit diff second 1 3");
    }

    public static Command Cost()
    {
        var run = Options.Run();
        return AuditCommand.Asking(
            "cost", "Print what a run has cost: tokens, seconds, and the judges' calls and money.",
            (parsed, audit, token) => audit.CostAsync(RunId.Check(parsed.GetValue(run)!), token),
            (output, cost) => output.Result(
                cost,
                new Listing(
                    [
                        "iteration", "tokens", "sampling s", "feedback s", "training s", "evaluation s", "judge calls", "attempts",
                        "input tokens", "output tokens", "USD"
                    ],
                    [.. cost.Rows.Select(r => Row(r.Iteration is { } n ? n : "preparation", r)), Row("all", cost.Total)])),
            run).WithExamples("./alt audit cost second --json");
    }

    private static IReadOnlyList<object?> Row(object name, CostRow r) =>
    [
        name, r.Tokens, Math.Round(r.SamplingSeconds, 3), Math.Round(r.FeedbackSeconds, 3), Math.Round(r.TrainingSeconds, 3),
        Math.Round(r.EvaluationSeconds, 3),
        r.JudgeCalls, r.JudgeAttempts, r.InputTokens, r.OutputTokens, r.Cost,
    ];
}
