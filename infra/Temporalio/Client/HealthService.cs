using Grpc.Health.V1;

namespace Temporalio.Client;

/// <summary>gRPC's health service.</summary>
internal sealed class HealthService(TemporalConnection connection) : RpcService(connection, "grpc.health.v1.Health")
{
    public Task<HealthCheckResponse> CheckAsync(HealthCheckRequest request, RpcOptions? options) => CallAsync("Check", request, HealthCheckResponse.Parser, options);
}
