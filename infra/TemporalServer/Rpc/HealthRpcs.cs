using Grpc.Health.V1;
using TemporalServer.Grpc;
using TemporalServer.Persistence;

namespace TemporalServer.Rpc;

/// <summary>The standard health check; not serving while the database is away.</summary>
internal sealed class HealthRpcs(Ownership ownership)
{
    public Task<HealthCheckResponse> CheckAsync(HealthCheckRequest request, CallContext call) => Task.FromResult(new HealthCheckResponse
    {
        Status = ownership.IsHeld ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing,
    });
}
