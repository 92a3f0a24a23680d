using System.CommandLine;
using Alt.Domain;

namespace Alt.Host.Commands;

/// <summary><c>alt retry</c>: continues a failed run from the stage that failed.</summary>
internal static class RetryCommand
{
    public static Command Create()
    {
        var (run, json) = (Options.Run(), Options.Json());
        var command = new Command(
            "retry", "Continue a failed run from the stage that failed; finished chunks and stages are not repeated.") { run, json };
        var temporal = new TemporalFlags(command);
        command.SetAction(async (parsed, token) =>
        {
            var id = RunId.Check(parsed.GetValue(run)!);
            var home = AltHome.Find();
            await using var record = await LedgerConnection.OpenExistingAsync(home, token);
            var state = await record.AskAsync(l => l.ExistingRunAsync(id, token), token);
            if (state.Status != RunStatus.Failed)
            {
                throw new InputException(
                    $"run '{id}' has not failed; ./alt status {id} shows what it does, ./alt run --run-id {id} continues it");
            }

            using var logs = Logs.Open(home, "run");
            return await new RunSession(home, new Output(parsed.GetValue(json)), logs)
                .RunAsync(record, id, state, state.Config, temporal.Read(parsed), token);
        });
        return command.WithExamples("./alt retry quickstart-1121-1002");
    }
}
