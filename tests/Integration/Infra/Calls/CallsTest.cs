using System.Text;
using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Tests.Infra.Calls;

/// <summary>Calls over a database of their own, with short waits.</summary>
public abstract class CallsTest : IAsyncLifetime
{
    protected static readonly CallPatience Short = new()
    {
        Delay = TimeSpan.FromMilliseconds(1),
        LongestDelay = TimeSpan.FromMilliseconds(5),
        Break = TimeSpan.FromSeconds(.5)
    };

    private readonly PostgresFixture _postgres = new();

    /// <summary>A million input tokens cost as many dollars as one million output tokens, so 15 tokens cost $15.</summary>
    protected static CallsConfig Prices => new() { InputPrice = 1_000_000, OutputPrice = 1_000_000 };

    private protected string Database { get; private set; } = "";

    private protected RemoteCalls Calls { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await _postgres.InitializeAsync();
        Database = await _postgres.CreateDatabaseAsync();
        Calls = await OpenAsync();
    }

    public async Task DisposeAsync()
    {
        await Calls.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    /// <summary>As another process would open it.</summary>
    private protected Task<RemoteCalls> OpenAsync() => RemoteCalls.OpenAsync(Database, Short);

    private protected Task<IReadOnlyList<CallSpend>> SpendAsync(string run) => CallSpends.ReadAsync(Database, run);

    private protected static RemoteAccount Account(CallsConfig? calls = null, Secret? secret = null) =>
        new("http://judge.example.org/v1", "judge", calls ?? Prices, secret);

    private protected static CallScope Scope(string run = "run", int iteration = 1, BudgetConfig? budget = null) =>
        new(run, iteration, budget ?? new());

    private protected static RemoteRequest Request(string body, string payer = "run/1/0/0") =>
        new("chat", "judge", Encoding.UTF8.GetBytes(body), 10, 5, payer);

    private protected Task<CallOutcome> AskAsync(
        ICallTransport transport, string body = "q", RemoteAccount? account = null, CallScope? scope = null, string payer = "run/1/0/0",
        RemoteCalls? calls = null, CancellationToken token = default) =>
        (calls ?? Calls).AskAsync(account ?? Account(), scope ?? Scope(), Request(body, payer), transport, token);
}
