using Grpc.Core;
using Grpc.Health.V1;
using TemporalServer.Persistence;

namespace TemporalServer.Rpc;

/// <summary>The standard health check; reports "not serving" while the database is unreachable.</summary>
internal sealed class HealthRpcs(Ownership ownership) : Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Task.FromResult(new HealthCheckResponse
        {
            Status = ownership.IsHeld
                ? HealthCheckResponse.Types.ServingStatus.Serving
                : HealthCheckResponse.Types.ServingStatus.NotServing,
        });
}
