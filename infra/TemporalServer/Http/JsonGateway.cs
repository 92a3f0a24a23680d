using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Microsoft.AspNetCore.Http;
using TemporalServer.Grpc;

namespace TemporalServer.Http;

/// <summary>
/// Temporal's HTTP API: the same RPCs as JSON, by the bindings in their protos. JSON is protobuf's; every field of an answer is there, empty
/// or not. Web pages of other origins are told nothing (there are no CORS headers) and get nothing done, and a loopback address answers only to
/// its own names, whatever name a page's own server gives it.
/// </summary>
internal sealed class JsonGateway
{
    private const string Json = "application/json";

    private readonly RpcCalls calls;
    private readonly HttpRoute[] routes;
    private readonly JsonFormatter formatter;
    private readonly JsonParser parser;

    public JsonGateway(RpcCalls calls)
    {
        this.calls = calls;
        routes = [.. calls.Rpcs.All.SelectMany(HttpRoute.Of).OrderByDescending(r => r.Literals)];
        // Error details travel as Any; so do update protocol messages.
        TypeRegistry types = TypeRegistry.FromFiles(
            [.. calls.Rpcs.All.Select(r => r.Method.File), Temporalio.Api.ErrorDetails.V1.MessageReflection.Descriptor,
                Temporalio.Api.Failure.V1.MessageReflection.Descriptor, Temporalio.Api.Update.V1.MessageReflection.Descriptor]);
        formatter = new JsonFormatter(JsonFormatter.Settings.Default.WithFormatDefaultValues(true).WithTypeRegistry(types));
        parser = new JsonParser(JsonParser.Settings.Default.WithIgnoreUnknownFields(true).WithTypeRegistry(types));
    }

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            EnsureOwnName(http);
            EnsureOwnOrigin(http.Request);
            (RpcMethod rpc, IReadOnlyList<(string, string)> fields) = Find(http.Request);
            await WriteAsync(http, StatusCodes.Status200OK, await calls.CallAsync(rpc, http, cancelled => ReadAsync(http.Request, rpc, fields, cancelled)));
        }
        catch (Exception e)
        {
            if (calls.Explain(e is JsonException or DecoderFallbackException ? RpcError.InvalidArgument(e.Message) : e, http) is { } error)
            {
                var status = new Google.Rpc.Status { Code = (int)error.Status, Message = error.Message };
                status.Details.Add(error.Detail is { } detail ? [Any.Pack(detail)] : []);
                await WriteAsync(http, HttpStatus(error.Status), status);
            }
        }
    }

    private static void EnsureOwnName(HttpContext http)
    {
        string name = http.Request.Host.Host.Trim('[', ']');
        if (http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local) && name != "localhost" && !IPAddress.TryParse(name, out _))
        {
            throw new RpcError(StatusCode.PermissionDenied, $"This address does not answer for {name}.");
        }
    }

    // Browsers say so with everything but plain reading; other clients say nothing.
    private static void EnsureOwnOrigin(HttpRequest request)
    {
        if (request.Headers.Origin.ToString() is { Length: > 0 } origin && origin != $"{request.Scheme}://{request.Host}")
        {
            throw new RpcError(StatusCode.PermissionDenied, $"Pages of {origin} may not use this server.");
        }
    }

    private (RpcMethod Rpc, IReadOnlyList<(string, string)> Fields) Find(HttpRequest request)
    {
        // Encoded: an id may hold a slash.
        string path = request.Path.ToUriComponent();
        foreach (HttpRoute route in routes)
        {
            if (route.Match(request.Method, path) is { } fields)
            {
                return (route.Rpc, fields);
            }
        }

        throw RpcError.NotFound($"There is no {request.Method} {request.Path}.");
    }

    private async Task<IMessage> ReadAsync(HttpRequest request, RpcMethod rpc, IReadOnlyList<(string Field, string Value)> fields, CancellationToken cancelled)
    {
        JsonObject document = HttpMethods.IsGet(request.Method) ? [] : await ReadBodyAsync(request, cancelled);
        MessageDescriptor type = rpc.Method.InputType;
        foreach ((string name, var values) in request.Query)
        {
            foreach (string? value in values)
            {
                RequestJson.Set(document, type, name, value ?? "");
            }
        }

        foreach ((string field, string value) in fields)
        {
            RequestJson.Set(document, type, field, value);
        }

        return parser.Parse(document.ToJsonString(), type);
    }

    private static async Task<JsonObject> ReadBodyAsync(HttpRequest request, CancellationToken cancelled)
    {
        using var body = new MemoryStream();
        var chunk = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(chunk, cancelled)) > 0;)
        {
            body.Write(chunk, 0, read);
            if (body.Length > RpcCalls.LargestMessage)
            {
                throw new RpcError(StatusCode.ResourceExhausted, $"The request is larger than {RpcCalls.LargestMessage} bytes.");
            }
        }

        if (body.Length == 0)
        {
            return [];
        }

        body.Position = 0;
        return await JsonNode.ParseAsync(body, cancellationToken: cancelled) as JsonObject
            ?? throw RpcError.InvalidArgument("The request's body is no JSON object.");
    }

    private async Task WriteAsync(HttpContext http, int status, IMessage message)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = Json;
        await http.Response.WriteAsync(formatter.Format(message), http.RequestAborted);
    }

    private static int HttpStatus(StatusCode status) => status switch
    {
        StatusCode.Cancelled => StatusCodes.Status499ClientClosedRequest,
        StatusCode.InvalidArgument or StatusCode.FailedPrecondition => StatusCodes.Status400BadRequest,
        StatusCode.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        StatusCode.NotFound => StatusCodes.Status404NotFound,
        StatusCode.AlreadyExists or StatusCode.Aborted => StatusCodes.Status409Conflict,
        StatusCode.PermissionDenied => StatusCodes.Status403Forbidden,
        StatusCode.Unauthenticated => StatusCodes.Status401Unauthorized,
        StatusCode.ResourceExhausted => StatusCodes.Status429TooManyRequests,
        StatusCode.Unimplemented => StatusCodes.Status501NotImplemented,
        StatusCode.Unavailable => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };
}
