using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Alt.Tests.Infra.Host;

/// <summary>A metric's point as it arrived.</summary>
/// <param name="Value">Of a histogram, the sum of its measurements.</param>
internal sealed record OtlpPoint(string Service, string Metric, string Unit, double Value, IReadOnlyDictionary<string, string> Tags);

/// <summary>A span as it arrived.</summary>
internal sealed record OtlpSpan(string Service, string Name, IReadOnlyDictionary<string, string> Tags);

/// <summary>A collector of OTLP over HTTP with protobuf, which reads from the wire what the tests ask for.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    private readonly ConcurrentQueue<OtlpPoint> _points = [];
    private readonly ConcurrentQueue<OtlpSpan> _spans = [];
    private readonly WebApplication _app;

    private OtlpCollector(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    /// <summary>The paths of all requests, whatever their content.</summary>
    public HashSet<string> Paths { get; } = [];

    public IReadOnlyList<OtlpPoint> Points => [.. _points];

    public IReadOnlyList<OtlpSpan> Spans => [.. _spans];

    public static async Task<OtlpCollector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new OtlpCollector(builder.Build());
        collector._app.MapPost("/v1/metrics", context => collector.TakeAsync(context, collector.ReadMetrics));
        collector._app.MapPost("/v1/traces", context => collector.TakeAsync(context, collector.ReadTraces));
        await collector._app.StartAsync();
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context, Action<Message> read)
    {
        Assert.Equal("application/x-protobuf", context.Request.ContentType);
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        lock (_points)
        {
            Paths.Add(context.Request.Path);
            read(new(ByteString.CopyFrom(body.ToArray())));
        }

        // An empty reply message: everything was accepted.
        context.Response.ContentType = "application/x-protobuf";
    }

    // Field numbers are those of opentelemetry/proto/{metrics,trace}/v1.
    private void ReadMetrics(Message request)
    {
        foreach (var (service, metric) in Signals(request))
        {
            var (name, unit) = (metric.Text(1), metric.Text(3));
            foreach (var point in metric.Parts(5).Concat(metric.Parts(7)).SelectMany(kind => kind.Parts(1)))
            {
                _points.Enqueue(new(service, name, unit, point.Double(4) ?? point.Number(6), Tags(point, 7)));
            }

            foreach (var point in metric.Parts(9).SelectMany(histogram => histogram.Parts(1)))
            {
                _points.Enqueue(new(service, name, unit, point.Double(5) ?? 0, Tags(point, 9)));
            }
        }
    }

    private void ReadTraces(Message request)
    {
        foreach (var (service, span) in Signals(request))
        {
            _spans.Enqueue(new(service, span.Text(5), Tags(span, 9)));
        }
    }

    /// <summary>Resource, scope, signal: the nesting of both requests.</summary>
    private static IEnumerable<(string Service, Message Signal)> Signals(Message request) =>
        from resource in request.Parts(1)
        let service = resource.Parts(1).SelectMany(r => Tags(r, 1)).FirstOrDefault(tag => tag.Key == "service.name").Value
        from scope in resource.Parts(2)
        from signal in scope.Parts(2)
        select (service, signal);

    private static Dictionary<string, string> Tags(Message message, int field) => message.Parts(field).ToDictionary(
        pair => pair.Text(1),
        pair => pair.Parts(2).Single() is var value && value.Has(1)
            ? value.Text(1)
            : value.Number(3).ToString(CultureInfo.InvariantCulture));

    /// <summary>A message of the wire format, by the numbers of its fields.</summary>
    private sealed class Message
    {
        private readonly List<(int Field, object Value)> _fields = [];

        public Message(ByteString bytes)
        {
            var input = bytes.CreateCodedInput();
            while (input.ReadTag() is var tag and not 0)
            {
                _fields.Add((WireFormat.GetTagFieldNumber(tag), WireFormat.GetTagWireType(tag) switch
                {
                    WireFormat.WireType.Varint => (long)input.ReadUInt64(),
                    WireFormat.WireType.Fixed64 => (long)input.ReadFixed64(),
                    WireFormat.WireType.Fixed32 => (long)input.ReadFixed32(),
                    _ => (object)input.ReadBytes(),
                }));
            }
        }

        public bool Has(int field) => _fields.Any(f => f.Field == field);

        public IEnumerable<Message> Parts(int field) => _fields.Where(f => f.Field == field).Select(f => new Message((ByteString)f.Value));

        public string Text(int field) =>
            _fields.Where(f => f.Field == field).Select(f => ((ByteString)f.Value).ToStringUtf8()).FirstOrDefault("");

        public long Number(int field) => _fields.Where(f => f.Field == field).Select(f => (long)f.Value).FirstOrDefault();

        public double? Double(int field) => Has(field) ? BitConverter.Int64BitsToDouble(Number(field)) : null;
    }
}
