using System.CommandLine;
using System.Globalization;
using Alt.Domain;
using Alt.Infra.Audits;

namespace Alt.Host.Commands;

/// <summary><c>alt audit sample</c> and <c>alt audit why-not</c>: one sample's life, and why it was or was not trained on.</summary>
internal static class AuditSampleCommand
{
    public static Command Create()
    {
        var id = Id();
        return AuditCommand.Asking(
            "sample", "Print one sample's whole life, its texts included.", (parsed, audit, token) =>
                audit.SampleAsync(Parse(parsed, id), token),
            (output, life) => output.Result(life, new Listing(["field", "value"], [.. Fields(life)])), id)
            .WithExamples("./alt audit sample second/2/17/3", "./alt audit sample second/2/17/3 --json");
    }

    public static Command CreateWhyNot()
    {
        var id = Id();
        return AuditCommand.Asking(
            "why-not", "Say whether a sample was trained on, and if not, why not. Prints no texts.", (parsed, audit, token) =>
                audit.WhyNotAsync(Parse(parsed, id), token),
            (output, answer) =>
                output.Result(answer, new Listing(["sample", "trained", "fate"], [[answer.Id, answer.Trained, answer.Fate]])),
            id)
            .WithExamples("./alt audit why-not second/2/17/3");
    }

    private static Argument<string> Id() => new("ID") { Description = "The sample: RUN/ITERATION/PROMPT/K." };

    private static SampleRef Parse(ParseResult parsed, Argument<string> id)
    {
        var sample = SampleRef.Parse(parsed.GetValue(id)!);
        RunId.Check(sample.Run);
        return sample;
    }

    private static IEnumerable<IReadOnlyList<object?>> Fields(SampleLife life)
    {
        yield return ["id", life.Id];
        yield return ["prompt", life.Prompt];
        yield return ["text", life.Erased ? "(erased)" : life.Text];
        yield return ["finish reason", life.FinishReason.ToString()];
        yield return ["tokens", life.Tokens];
        yield return ["policy", life.Policy];
        yield return ["conditioning", life.Conditioning ?? "(none)"];
        yield return ["seed", life.Seed];
        yield return ["outcome", life.Outcome ?? "(not judged yet)"];
        yield return life.Why is { } why ? ["why", why] : ["reward", life.Reward];
        foreach (var (call, i) in life.Calls.Select((call, i) => (call, i)))
        {
            yield return [$"judge call {i}", string.Create(
                CultureInfo.InvariantCulture,
                $"{call.Judge} {call.Version}: {call.Reply ?? "(no reply)"}; {call.InputTokens} + {call.OutputTokens} tokens, {call.Cost} "
                + $"USD, {call.Attempts} attempts; request {call.RequestHash}")];
        }

        foreach (var pool in life.Pools)
        {
            yield return [
                $"pool {pool.Iteration}",
                $"quantile {pool.Quantile}, '{pool.Feedback}'; "
                + $"{pool.Decision ?? "(not selected from yet)"}"
                + $"{(pool.Steps.Count > 0 ? $"; training steps {string.Join(' ', pool.Steps)}" : "")}"
            ];
        }

        yield return ["fate", life.Fate];
    }
}
