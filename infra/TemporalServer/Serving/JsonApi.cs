using System.Net;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace TemporalServer.Serving;

/// <summary>
/// What Temporal's HTTP API asks beyond JSON transcoding. Web pages of other origins are told nothing (there are no CORS headers) and get
/// nothing done, and a loopback address answers only to its own names, whatever name a page's own server gives it.
/// </summary>
internal static class JsonApi
{
    // Stands for a slash inside a segment while routing cuts the path at slashes; no id that one can read holds it.
    private const char Slash = '\uE000';

    /// <summary>JSON as protobuf says it; every field of an answer is there, empty or not.</summary>
    public static void Configure(GrpcJsonTranscodingOptions options)
    {
        options.JsonSettings.WriteInt64sAsStrings = true;
        // Error details travel as Any; so do update protocol messages.
        options.TypeRegistry = TypeRegistry.FromFiles(
            Temporalio.Api.WorkflowService.V1.ServiceReflection.Descriptor, Temporalio.Api.OperatorService.V1.ServiceReflection.Descriptor,
            Temporalio.Api.ErrorDetails.V1.MessageReflection.Descriptor, Temporalio.Api.Failure.V1.MessageReflection.Descriptor,
            Temporalio.Api.Update.V1.MessageReflection.Descriptor);
    }

    /// <summary>Checks a request, and makes it one that JSON transcoding reads.</summary>
    /// <exception cref="RpcError">PERMISSION_DENIED.</exception>
    public static void Prepare(HttpContext http)
    {
        EnsureOwnName(http);
        EnsureOwnOrigin(http.Request);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = CallGate.LargestMessage;
        }

        // Other gateways of Temporal's take whatever a client calls its JSON, and nothing for an empty object.
        http.Request.ContentType = "application/json";
        if (http.Request.ContentLength is null or 0 && http.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != true)
        {
            http.Request.Body = new MemoryStream("{}"u8.ToArray());
        }

        // An id may hold a slash. Kestrel leaves its escape as it is, so that it could not be told from an escaped percent sign any more.
        string path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        if (path.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            http.Request.Path = Uri.UnescapeDataString(path.Replace("%2F", Slash.ToString(), StringComparison.OrdinalIgnoreCase));
        }
    }

    /// <summary>After routing: the slashes that <see cref="Prepare"/> has hidden from it.</summary>
    public static Task RestoreSlashesAsync(HttpContext http, RequestDelegate next)
    {
        foreach ((string name, object? value) in http.Request.RouteValues)
        {
            http.Request.RouteValues[name] = (value as string)?.Replace(Slash, '/') ?? value;
        }

        return next(http);
    }

    private static void EnsureOwnName(HttpContext http)
    {
        string name = http.Request.Host.Host.Trim('[', ']');
        bool isLoopback = http.Connection.LocalIpAddress is { } local && IPAddress.IsLoopback(local);
        if (isLoopback && name != "localhost" && !IPAddress.TryParse(name, out _))
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
}
