using Alt.Domain;
using Temporalio.Converters;

namespace Alt.Infra.Temporal;

/// <summary>Payloads in the product's own JSON, so that any client can start a run with a config as it stands in a file.</summary>
public static class AltPayloads
{
    /// <summary>Without encryption.</summary>
    public static DataConverter Converter { get; } = new(new JsonConverter(), new DefaultFailureConverter());

    private sealed class JsonConverter() : DefaultPayloadConverter(AltJson.Options);
}
