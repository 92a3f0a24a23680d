using System.CommandLine;
using Alt.Domain;
using Alt.Infra.Calls;
using Alt.Rehearsal;
using Spectre.Console;

namespace Alt.Host.Commands;

/// <summary><c>alt judge</c>: tries a judge before a run relies on it, or serves a rehearsal judge for a run's calls.</summary>
internal static class JudgeCommand
{
    private sealed record Listening(string Address);

    public static Command Create() =>
        new("judge", "Try a judge on known labels, or rehearse with one that costs nothing.") { JudgeCheckCommand.Create(), Serve() };

    private static Command Serve()
    {
        var port = new Option<int>("--port")
        {
            Description = "On 127.0.0.1; 0 takes any that is free.",
            HelpName = "N",
            DefaultValueFactory = _ => 8090
        };
        var fault = new Option<string[]>("--fault")
        {
            Description = $"How often something goes wrong; may be given several times. One of {Faults.Known}.",
            HelpName = "FAULT=SHARE",
            DefaultValueFactory = _ => []
        };
        var seed = new Option<int>("--seed") { Description = "With another seed, other requests go wrong.", HelpName = "N" };
        var key = new Option<string?>("--key")
        {
            Description = "Where to read the key that requests must have: env:NAME or file:PATH. Error replies repeat the received key.",
            HelpName = "PLACE"
        };
        var json = Options.Json();
        var command = new Command(
            "serve",
            "Answer chat completions, embeddings, Perspective and /score by a fixed rule until Ctrl-C; GET "
            + "/counts says what was asked.") { port, fault, seed, key, json };
        command.SetAction(async (parsed, token) =>
        {
            var options = new RehearsalOptions
            {
                Port = parsed.GetValue(port),
                Faults = Faults.Parse(parsed.GetValue(fault)!, parsed.GetValue(seed)),
                Key = Secret.Read(parsed.GetValue(key)),
            };
            var output = new Output(parsed.GetValue(json));
            try
            {
                await using var server = await RehearsalServer.StartAsync(options, token);
                output.Result(new Listening(server.Address), console => console.WriteLine($"Listening on {server.Address}"));
                await Task.Delay(Timeout.Infinite, token);
            }
            catch (IOException e)
            {
                throw new InputException($"--port {options.Port}: the server cannot listen on it; name another one, or 0 for any", e);
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                output.Say("The judge has ended.");
            }

            return 0;
        });
        return command.WithExamples("./alt judge serve --fault 429=.1 --fault truncated=.05", "curl http://127.0.0.1:8090/counts");
    }
}
