using Alt.Domain;
using Alt.Host.Supervisor;
using Alt.Infra;
using Alt.Infra.Temporal;
using Microsoft.Extensions.Logging;
using Temporalio.Client;
using Temporalio.Common.EnvConfig;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Alt.Host;

/// <summary>Connections to the home's Temporal server.</summary>
internal static class Temporal
{
    /// <summary>
    /// Payloads in the product's own JSON, so that any client can start a run with a config as it stands in a file; encrypted where
    /// <see cref="AesGcmPayloadCodec.Variable"/> holds keys.
    /// </summary>
    private static readonly Lazy<DataConverter> Converter = new(() => new(new AltPayloadConverter(), new DefaultFailureConverter(), Codec()));

    /// <summary>Connects to the server that the home's processes use now; waits for it while it is being started.</summary>
    /// <param name="broken">Ends the wait when the server cannot come up.</param>
    /// <exception cref="InputException">The settings of an outside server cannot work, or it refuses this client.</exception>
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
                if (TemporalEndpoint.Read(home) is { } endpoint)
                {
                    return await TemporalClient.ConnectAsync(OptionsFor(endpoint, logs));
                }
            }
            catch (RpcException e) when (e.Code is RpcException.StatusCode.Unauthenticated or RpcException.StatusCode.PermissionDenied)
            {
                throw new InputException($"the Temporal server refuses this client ({e.Message}): expected its key in TEMPORAL_API_KEY, or a profile that has it", e);
            }
            catch (Exception e) when (e is InvalidOperationException or HttpRequestException or RpcException)
            {
                logs.CreateLogger(nameof(Temporal)).LogDebug("The Temporal server does not answer yet: {Reason}", e.Message);
            }

            await Task.WhenAny(broken, Task.Delay(TimeSpan.FromMilliseconds(200), token));
        }
    }

    // What else an outside server wants (namespace, TLS, API key) stands where all of Temporal's tools look for it.
    private static TemporalClientConnectOptions OptionsFor(TemporalEndpoint endpoint, ILoggerFactory logs)
    {
        var options = endpoint.Outside ? OutsideOptions() : new();
        options.TargetHost = endpoint.Address;
        options.DataConverter = Converter.Value;
        options.LoggerFactory = logs;
        return options;
    }

    /// <summary>The settings of <c>TEMPORAL_*</c> and of the profile file.</summary>
    /// <exception cref="InputException">They cannot be read.</exception>
    public static TemporalClientConnectOptions OutsideOptions()
    {
        try
        {
            return ClientEnvConfig.LoadClientConnectOptions();
        }
        catch (InvalidOperationException e)
        {
            throw new InputException(e.Message, e);
        }
    }

    private static AesGcmPayloadCodec? Codec()
    {
        try
        {
            return AesGcmPayloadCodec.FromEnvironment();
        }
        catch (ArgumentException e)
        {
            throw new InputException($"{AesGcmPayloadCodec.Variable}: {e.Message}", e);
        }
    }

    private sealed class AltPayloadConverter() : DefaultPayloadConverter(AltJson.Options);
}
