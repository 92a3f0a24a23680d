using System.CommandLine;
using System.CommandLine.Invocation;
using Alt.Domain;
using Alt.Host.Commands;

namespace Alt.Host;

/// <summary>All commands, and how each of them ends: 0 done, 1 failed, 2 wrong command or input, 130 interrupted.</summary>
internal static class CommandLine
{
    private const int Done = 0, Failed = 1, WrongInput = 2;

    public static async Task<int> RunAsync(string[] args)
    {
        var root = Create();
        var parsed = root.Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            return Complain($"{ProblemOf(parsed)}; see ./alt {string.Join(' ', PathOf(parsed))}--help", WrongInput);
        }

        Logs.Set(parsed.GetValue(Options.Verbose), parsed.GetValue(Options.LogJson));
        using var interrupt = new Interrupt();
        try
        {
            // Signals are handled here and not by the library: an interrupted run first says how to continue.
            var configuration = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, interrupt.Token);
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            return interrupt.ExitCode;
        }
        catch (InputException e)
        {
            return Complain(e.Message, WrongInput);
        }
        catch (Exception e)
        {
            Logs.Keep(e, parsed.CommandResult.Command.Name);
            return Complain(Messages.Explain(e), Failed);
        }
    }

    internal static RootCommand Create()
    {
        var root = new RootCommand(
            "ALT: alignment with textual feedback, as runs that survive anything and can be audited.\nPrompts -> Sampling -> Feedback -> "
            + "DataPool -> Selection -> Training -> Evaluation -> Report")
        {
            HelpName = "./alt",
        };
        root.Add(Options.Verbose);
        root.Add(Options.LogJson);
        foreach (var command in new[]
        {
            RunCommand.Create(), EstimateCommand.Create(), StatusCommand.Create(), ReportCommand.Create(), SampleCommand.Create(),
            BenchCommand.Create(),
            RetryCommand.Create(), ForkCommand.Create(), ReplayCommand.Create(), WhatIfCommand.Create(),
            FeedbackCommand.Create(), AuditCommand.Create(), VerifyCommand.Create(), ExportCommand.Create(), EraseCommand.Create(),
            BackupCommand.Create(), RestoreCommand.Create(),
            SignalCommands.Pause(), SignalCommands.Resume(), SignalCommands.Stop(),
            ServerCommand.Create(), WorkerCommand.Create(), JudgeCommand.Create(), PostgresCommand.Create(),
        })
        {
            root.Add(command);
        }

        root.Add(new Command("test", "Set up, check the format and run every test (handled by the script ./alt)."));
        HelpExamples.AddTo(root, [
            "./alt run", "./alt run infra/experiments/toxicity-small.yaml --set seed=2 --run-id second", "./alt status",
            "./alt report second --json"
        ]);
        return root;
    }

    /// <summary>The library lists a missing command before the unknown word; the word is more useful.</summary>
    private static string ProblemOf(ParseResult parsed) =>
        parsed.Errors.Select(e => e.Message).FirstOrDefault(m => m.StartsWith("unknown", StringComparison.Ordinal))
        ?? (parsed.UnmatchedTokens is [var unknown, ..]
            ? $"unknown command, option or argument '{unknown}'"
            : Messages.OneLine(parsed.Errors[0].Message.TrimEnd('.')));

    private static IEnumerable<string> PathOf(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (var result = parsed.CommandResult; result.Parent is System.CommandLine.Parsing.CommandResult parent; result = parent)
        {
            names.Push(result.Command.Name);
        }

        return names.Count == 0 ? [] : names.Append("");
    }

    private static int Complain(string message, int exitCode)
    {
        Console.Error.WriteLine($"alt: {message}");
        return exitCode;
    }
}
