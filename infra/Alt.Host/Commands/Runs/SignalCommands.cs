using System.CommandLine;
using System.CommandLine.Parsing;
using System.Linq.Expressions;
using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Workflows;
using Spectre.Console;
using Temporalio.Exceptions;

namespace Alt.Host.Commands;

/// <summary>
/// <c>alt pause</c>, <c>alt resume</c> and <c>alt stop</c>: a user's commands to a run. A run under way gets a signal; for one that is
/// not, the command becomes a recorded fact that the next <c>alt run</c> obeys.
/// </summary>
internal static class SignalCommands
{
    public static Command Pause() => Create(new(
        "pause", "Let a run finish the work under way and then wait.", w => w.PauseAsync(), at => new RunEvent.RunPaused(at),
        [RunStatus.Running],
        "waits after the work under way; ./alt resume {0}", "is paused; ./alt resume {0} ends that"));

    public static Command Resume()
    {
        var budget = new Option<decimal?>("--budget")
        {
            Description = "Change what the whole run may spend on judges, in US dollars; 0 is no limit.",
            HelpName = "USD"
        };
        var iterationBudget = new Option<decimal?>("--iteration-budget") { Description = "The same for each iteration.", HelpName = "USD" };
        var tokens = new Option<long?>("--tokens")
        {
            Description = "Change how many tokens the whole run may have judges read and write; 0 is no limit.",
            HelpName = "N"
        };
        var iterationTokens = new Option<long?>("--iteration-tokens") { Description = "The same for each iteration.", HelpName = "N" };
        var failures = new Option<double?>("--failures")
        {
            Description = "Change the share of an iteration's samples that may stay without a label because their judgement failed.",
            HelpName = "SHARE"
        };
        foreach (var money in new[] { budget, iterationBudget })
        {
            money.Validators.Add(r =>
                Require(r, r.GetValueOrDefault<decimal?>() is null or >= 0, $"{money.Name}: expected US dollars, 0 or more"));
        }

        foreach (var count in new[] { tokens, iterationTokens })
        {
            count.Validators.Add(r =>
                Require(r, r.GetValueOrDefault<long?>() is null or >= 0, $"{count.Name}: expected a number of tokens, 0 or more"));
        }

        failures.Validators.Add(r =>
            Require(r, r.GetValueOrDefault<double?>() is null or (>= 0 and <= 1), "--failures: expected a share from 0 to 1"));
        return Create(Continue("resume", "End a run's pause.") with
        {
            Options = [budget, iterationBudget, tokens, iterationTokens, failures],
            Before = parsed => new Option[] { budget, iterationBudget, tokens, iterationTokens, failures }.All(o =>
                parsed.GetResult(o) is null)
                ? null
                : new RunEvent.LimitsChanged(
                    parsed.GetValue(budget), parsed.GetValue(iterationBudget), parsed.GetValue(tokens), parsed.GetValue(iterationTokens),
                    parsed.GetValue(failures), DateTimeOffset.UtcNow),
        });

        static void Require(OptionResult result, bool ok, string problem)
        {
            if (!ok)
            {
                result.AddError(problem);
            }
        }
    }

    /// <summary><c>alt feedback retry</c>: a run that continues has the samples in quarantine judged again.</summary>
    public static Command RetryFeedback() => Create(Continue(
        "retry",
        "Let a run that waits ask again for the judgements in quarantine. Replies that could not be read are paid: they are "
        + "read again, not asked for.") with
    { Path = "feedback retry", OnlyFrom = true });

    public static Command Stop() => Create(new(
        "stop", "End a run after the iteration under way; what is recorded stays.", w => w.StopAsync(), at => new RunEvent.RunStopped(at),
        [RunStatus.Running, RunStatus.Paused, RunStatus.Failed],
        "ends after the iteration under way", "is stopped; ./alt run --run-id {0} continues it after all"));

    private static Order Continue(string name, string description) => new(
        name, description, w => w.ResumeAsync(), at => new RunEvent.RunResumed(at), [RunStatus.Paused],
        "continues", "is no longer paused; ./alt run --run-id {0} continues it");

    private static Command Create(Order order)
    {
        var (run, json) = (Options.Run(), Options.Json());
        var command = new Command(order.Name, order.Description) { run, json };
        foreach (var option in order.Options)
        {
            command.Add(option);
        }

        command.SetAction(async (parsed, token) =>
        {
            var id = RunId.Check(parsed.GetValue(run)!);
            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var status = (await record.AskAsync(l => l.ExistingRunAsync(id, token), token)).Status;
            if ((order.OnlyFrom || !IsUnderWay(home, id)) && !order.From.Contains(status))
            {
                throw Nothing(id, order, status);
            }

            if (order.Before?.Invoke(parsed) is { } before)
            {
                await record.AskAsync(l => l.RecordAsync(id, _ => null, before, token: token), token);
            }

            var underWay = await SignalAsync(home, id, order, token);
            if (!underWay)
            {
                await RecordAsync(record, id, order, token);
            }

            var words = string.Format(System.Globalization.CultureInfo.InvariantCulture, underWay ? order.UnderWay : order.Recorded, id);
            new Output(parsed.GetValue(json))
                .Result(new { runId = id, order = order.Name, underWay }, console => console.WriteLine($"run {id} {words}"));
            return 0;
        });
        return command.WithExamples($"./alt {order.Path ?? order.Name} quickstart-1121-1002");
    }

    private static bool IsUnderWay(AltHome home, string id) =>
        (RunServices.IsOwned(home) || home.IsHeld(WorkerCommand.LockName)) && RunFollowers.IsFollowed(home, id);

    private static InputException Nothing(string id, Order order, RunStatus status) =>
        new(
            $"run '{id}' is {(status == RunStatus.Running ? "not paused" : status.ToString().ToLowerInvariant())}: there is nothing to "
            + $"{order.Name}; ./alt status {id}");

    /// <returns>Whether the run is under way and got the signal.</returns>
    private static async Task<bool> SignalAsync(AltHome home, string id, Order order, CancellationToken token)
    {
        if (!IsUnderWay(home, id))
        {
            return false;
        }

        using var logs = Logs.Open(home, "signal");
        var client = await TemporalConnection.ConnectAsync(home, logs, Task.Delay(Timeout.Infinite, token), token);
        try
        {
            await client.GetWorkflowHandle<AltRunWorkflow>(AltRunWorkflow.IdOf(id)).SignalAsync(order.Signal);
            return true;
        }
        catch (RpcException e) when (e.Code == RpcException.StatusCode.NotFound)
        {
            return false;
        }
    }

    private static async Task RecordAsync(LedgerConnection record, string id, Order order, CancellationToken token)
    {
        var status = (await record.AskAsync(l => l.RunAsync(id, token), token)).Status;
        if (!order.From.Contains(status))
        {
            throw Nothing(id, order, status);
        }

        var fact = order.Fact(DateTimeOffset.UtcNow);
        await record.AskAsync(l => l.RecordAsync(id, s => order.From.Contains(s.Status) ? null : fact, fact, token: token), token);
    }

    /// <param name="From">The states in which a run that is not under way accepts this.</param>
    private sealed record Order(
        string Name, string Description, Expression<Func<AltRunWorkflow, Task>> Signal, Func<DateTimeOffset, RunEvent> Fact,
        RunStatus[] From, string UnderWay, string Recorded)
    {
        public IReadOnlyList<Option> Options { get; init; } = [];

        /// <summary>The whole command, such as <c>feedback retry</c>; null if it is the name.</summary>
        public string? Path { get; init; }

        /// <summary>Whether a run that is under way must be in one of the states too.</summary>
        public bool OnlyFrom { get; init; }

        /// <summary>What is recorded first, whether the run is under way or not; null for nothing.</summary>
        public Func<ParseResult, RunEvent?>? Before { get; init; }
    }
}
