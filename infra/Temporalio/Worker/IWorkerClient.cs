using Temporalio.Client;

namespace Temporalio.Worker;

/// <summary>What a worker needs of a client; every <see cref="ITemporalClient"/> has it.</summary>
public interface IWorkerClient
{
    /// <summary>The connection.</summary>
    ITemporalConnection Connection { get; }

    /// <summary>The options.</summary>
    TemporalClientOptions Options { get; }
}
