using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Temporalio.Converters;

namespace Temporalio.Client;

/// <summary>Options of a client on a connection.</summary>
public class TemporalClientOptions : ICloneable
{
    /// <summary>Namespace. Default <c>default</c>.</summary>
    public string Namespace { get; set; } = "default";

    /// <summary>Converts values, exceptions and payloads.</summary>
    public DataConverter DataConverter { get; set; } = DataConverter.Default;

    /// <summary>Logger factory. Default: no logs.</summary>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <summary>Which workflows may not be queried. Default: all may.</summary>
    public Api.Enums.V1.QueryRejectCondition? QueryRejectCondition { get; set; }

    /// <summary>A shallow copy.</summary>
    public virtual object Clone() => MemberwiseClone();
}

/// <summary>Options of a client with a connection of its own.</summary>
public class TemporalClientConnectOptions : TemporalConnectionOptions
{
    /// <summary>Options without an address.</summary>
    public TemporalClientConnectOptions()
    {
    }

    /// <summary>Options for an address.</summary>
    /// <param name="targetHost">Host and port, such as <c>localhost:7233</c>.</param>
    public TemporalClientConnectOptions(string targetHost)
        : base(targetHost)
    {
    }

    /// <inheritdoc cref="TemporalClientOptions.Namespace"/>
    public string Namespace { get; set; } = "default";

    /// <inheritdoc cref="TemporalClientOptions.DataConverter"/>
    public DataConverter DataConverter { get; set; } = DataConverter.Default;

    /// <inheritdoc cref="TemporalClientOptions.LoggerFactory"/>
    public ILoggerFactory LoggerFactory { get; set; } = NullLoggerFactory.Instance;

    /// <inheritdoc cref="TemporalClientOptions.QueryRejectCondition"/>
    public Api.Enums.V1.QueryRejectCondition? QueryRejectCondition { get; set; }

    internal TemporalClientOptions ToClientOptions() => new()
    {
        Namespace = Namespace,
        DataConverter = DataConverter,
        LoggerFactory = LoggerFactory,
        QueryRejectCondition = QueryRejectCondition,
    };
}
