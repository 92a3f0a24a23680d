using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Activities.Feedback;

/// <summary>Asks one remote account in the name of a run's iteration, and reports how every question ended.</summary>
/// <param name="version">The judge's version: everything beside the sample that its reply depends on.</param>
internal sealed class RemoteJudge(
    string service, string version, RemoteCalls calls, RemoteAccount account, ICallTransport transport, JudgeUse use)
{
    /// <summary>UTF-8 bytes per token, on the low side: an estimate that is too high only waits a little longer for the quota.</summary>
    public const int BytesPerToken = 3;

    // Part of what makes a request the same as an earlier one: another endpoint is another judge, whatever its model is called.
    private readonly string _address = use.Asking == 0
        ? $"{service} at {account.Endpoint}"
        : $"{service} at {account.Endpoint}, asking {use.Asking + 1}";

    public string Version => version;

    /// <summary>Whether quota and budget count what is read; where the service does not say how much, by an estimate.</summary>
    /// <value>Default true.</value>
    public bool CountsTokens { get; init; } = true;

    /// <summary>Judges every sample that says something, all at once; the account's limits decide how many are under way.</summary>
    /// <exception cref="HoldException">The budget does not allow another question.</exception>
    public async Task<IReadOnlyList<Judgement>> JudgeEachAsync(
        IReadOnlyList<FeedbackRequest> samples, IProgress<int>? progress, Func<FeedbackRequest, Task<Judgement>> judge)
    {
        return await Task.WhenAll(samples.Select(async sample =>
        {
            var judgement = sample.IfEmpty() ?? await judge(sample);
            progress?.Report(1);
            return judgement;
        }));
    }

    /// <param name="payer">The sample that the question is about, or the first of those.</param>
    /// <exception cref="HoldException">The budget does not allow it.</exception>
    public async Task<RemoteAnswer> AskAsync(SampleId payer, ReadOnlyMemory<byte> body, int maxOutputTokens, CancellationToken token)
    {
        var request = new RemoteRequest(
            _address, account.Model, body, CountsTokens ? body.Length / BytesPerToken : 0, maxOutputTokens,
            new SampleRef(use.Scope.Run, payer).ToString());
        var call = new JudgeCall(service, version, request.Hash, null);
        return await calls.AskAsync(account, use.Scope, request, transport, token) switch
        {
            CallOutcome.Answered a => new RemoteAnswer(a.Body, null, call with
            {
                Reply = a.Body,
                InputTokens = a.InputTokens,
                OutputTokens = a.OutputTokens,
                Cost = a.Cost,
                Attempts = a.Attempts,
                At = a.At
            }),
            CallOutcome.Failed f =>
                new RemoteAnswer(null, new FeedbackOutcome.Failed($"{f.Kind}: {f.Reason}"), call with { Attempts = f.Attempts }),
            CallOutcome.OverBudget o => throw new HoldException(new Hold(KindOf(o.Limit), o.Reason)),
            var other => throw new InvalidOperationException($"A call cannot end in {other.GetType().Name}."),
        };
    }

    /// <summary>Allows the judge to be asked the same question again: the body was no reply of such a service at all.</summary>
    public Task ForgetAsync(JudgeCall call, CancellationToken token) => calls.ForgetAsync([call.RequestHash], token);

    private static HoldKind KindOf(BudgetLimit limit) => limit switch
    {
        BudgetLimit.Run => HoldKind.RunBudget,
        BudgetLimit.Iteration => HoldKind.IterationBudget,
        BudgetLimit.RunTokens => HoldKind.RunTokens,
        BudgetLimit.IterationTokens => HoldKind.IterationTokens,
        _ => throw new ArgumentOutOfRangeException(nameof(limit)),
    };
}

/// <summary>How a question ended: with a body, or with the outcome of the samples that it was about.</summary>
internal sealed record RemoteAnswer(string? Body, FeedbackOutcome? Problem, JudgeCall Call);
