using System.Security.Cryptography;
using System.Text;
using Alt.Domain;

namespace Alt.Infra.Calls;

/// <summary>One question to a service, as it is sent.</summary>
/// <param name="Service">The kind of service that answers, such as <c>chat</c>; part of a request's identity.</param>
/// <param name="Body">The JSON that is posted: the filled template and every parameter that the reply depends on.</param>
/// <param name="InputTokens">An estimate, for the quota and the budget; 0 if the service counts no tokens.</param>
/// <param name="MaxOutputTokens">The most that the service may write.</param>
/// <param name="Payer">
/// The sample that it is asked for, <c>RUN/ITERATION/PROMPT/K</c>: its run pays, others get the reply free of charge.
/// </param>
public sealed record RemoteRequest(
    string Service, string Model, ReadOnlyMemory<byte> Body, int InputTokens, int MaxOutputTokens, string Payer)
{
    /// <summary>SHA-256 over service, model and body: the content address of the reply.</summary>
    public string Hash
    {
        get
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(Encoding.UTF8.GetBytes($"{Service}\0{Model}\0"));
            hash.AppendData(Body.Span);
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }
}

/// <summary>The run and the iteration that a call is charged to, and their budget.</summary>
public sealed record CallScope(string Run, int Iteration, BudgetConfig Budget);
