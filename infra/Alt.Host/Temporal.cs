using Alt.Host.Supervisor;
using Alt.Infra;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Converters;

namespace Alt.Host;

/// <summary>Connections to the home's Temporal server.</summary>
internal static class Temporal
{
    /// <summary>Payloads in the product's own JSON, so that any client can start a run with a config as it stands in a file.</summary>
    public static DataConverter Converter { get; } = new(new AltPayloadConverter(), new DefaultFailureConverter());

    /// <summary>Connects to the server that the home's processes use now; waits for it while it is being started.</summary>
    /// <param name="broken">Ends the wait when the server cannot come up.</param>
    public static async Task<TemporalClient> ConnectAsync(AltHome home, ILoggerFactory logs, Task broken, CancellationToken token)
    {
        while (true)
        {
            token.ThrowIfCancellationRequested();
            if (broken.IsCompleted)
            {
                await broken;
            }

            try
            {
                if (TemporalEndpoint.Read(home) is { } address)
                {
                    return await TemporalClient.ConnectAsync(new(address) { DataConverter = Converter, LoggerFactory = logs });
                }
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or Temporalio.Exceptions.RpcException)
            {
                logs.CreateLogger(nameof(Temporal)).LogDebug("The Temporal server does not answer yet: {Reason}", e.Message);
            }

            await Task.WhenAny(broken, Task.Delay(TimeSpan.FromMilliseconds(200), token));
        }
    }

    private sealed class AltPayloadConverter() : DefaultPayloadConverter(AltJson.Options);
}
