using System.CommandLine;
using System.Globalization;
using Alt.Activities.Feedback;
using Alt.Host.Progress;
using Alt.Infra;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt estimate</c>: what a run's judges would cost, before it starts.</summary>
internal static class EstimateCommand
{
    public static Command Create()
    {
        var config = new Argument<string>("CONFIG") { Description = "The experiment's YAML file." };
        var (settings, json) = (Options.Set(), Options.Json());
        var command = new Command(
            "estimate", "Estimate what a run would ask of remote judges: calls, tokens, money and time. Sends no request.")
        {
            config, settings, json
        };
        command.SetAction((parsed, _) =>
        {
            var run = RunConfigFile.Read(parsed.GetValue(config)!, parsed.GetValue(settings)!);
            var estimate = JudgingEstimate.Of(run);
            new Output(parsed.GetValue(json)).Result(estimate, console =>
            {
                console.WriteLine(Invariant($"{estimate.Samples:N0} samples to judge"));
                foreach (var a in estimate.Accounts)
                {
                    var tokens = Invariant($"about {a.InputTokens:N0} tokens in, at most {a.OutputTokens:N0} out");
                    var quota = a.AtQuota is { } time ? $", {ProgressText.Duration(time)} at its quota" : "";
                    console.WriteLine(Invariant($"{a.Model} at {a.Endpoint}: {a.Calls:N0} calls, {tokens}, {a.Cost:0.00} USD{quota}"));
                }

                var limit = run.Feedback.Budget.Run is > 0 and var budget ? Invariant($"is {budget:0.00} USD") : "sets no limit";
                console.WriteLine(estimate.Accounts.Count == 0
                    ? "all judges are local: nothing to pay"
                    : Invariant($"about {estimate.Cost:0.00} USD; feedback.budget.run {limit}"));
            });
            return Task.FromResult(0);
        });
        return command.WithExamples("./alt estimate experiment.yaml --set prompts.perIteration=2048");
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
