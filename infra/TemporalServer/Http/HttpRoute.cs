using System.Text.RegularExpressions;
using Google.Protobuf.Reflection;
using TemporalServer.Grpc;
using Temporalio.Api.Dependencies.Google.Api;

namespace TemporalServer.Http;

/// <summary>One HTTP binding of an RPC, as its google.api.http option tells it.</summary>
internal sealed class HttpRoute
{
    private readonly Regex pattern;
    private readonly string[] fields;

    private HttpRoute(RpcMethod rpc, HttpRule rule)
    {
        Rpc = rpc;
        (Method, string template) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => ("GET", rule.Get),
            HttpRule.PatternOneofCase.Put => ("PUT", rule.Put),
            HttpRule.PatternOneofCase.Post => ("POST", rule.Post),
            HttpRule.PatternOneofCase.Delete => ("DELETE", rule.Delete),
            HttpRule.PatternOneofCase.Patch => ("PATCH", rule.Patch),
            _ => throw new InvalidOperationException($"{rpc.Method.FullName} has an HTTP binding without a path."),
        };
        string[] segments = template.Split('/', StringSplitOptions.RemoveEmptyEntries);
        fields = [.. segments.Where(IsVariable).Select(s => s[1..^1])];
        Literals = segments.Length - fields.Length;
        pattern = new Regex("^" + string.Concat(segments.Select(s => IsVariable(s) ? "/([^/]+)" : "/" + Regex.Escape(s))) + "$", RegexOptions.CultureInvariant);
    }

    public RpcMethod Rpc { get; }

    public string Method { get; }

    /// <summary>Number of segments that are no variables: of two routes that fit, the one with more is meant.</summary>
    public int Literals { get; }

    /// <summary>All bindings of an RPC.</summary>
    public static IEnumerable<HttpRoute> Of(RpcMethod rpc)
    {
        if (rpc.Method.GetOptions()?.GetExtension(AnnotationsExtensions.Http) is not { } rule)
        {
            return [];
        }

        return rule.AdditionalBindings.Prepend(rule).Select(r => new HttpRoute(rpc, r));
    }

    /// <summary>The fields that the path sets, by their dotted names, or null where it does not fit.</summary>
    public IReadOnlyList<(string Field, string Value)>? Match(string method, string path)
    {
        Match match = method == Method ? pattern.Match(path) : System.Text.RegularExpressions.Match.Empty;
        return match.Success ? [.. fields.Select((field, i) => (field, Uri.UnescapeDataString(match.Groups[i + 1].Value)))] : null;
    }

    private static bool IsVariable(string segment) => segment.StartsWith('{');
}
