using Temporalio.Api.OperatorService.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Grpc;

namespace TemporalServer.Rpc;

/// <summary>
/// Lists of what this server does not have: schedules, batches, worker versions and deployments, Nexus endpoints, other clusters. They are
/// empty, and user interfaces show them so.
/// </summary>
internal sealed class AbsentRpcs
{
    public Task<ListSchedulesResponse> ListSchedulesAsync(ListSchedulesRequest request, CallContext call) => Task.FromResult(new ListSchedulesResponse());

    public Task<CountSchedulesResponse> CountSchedulesAsync(CountSchedulesRequest request, CallContext call) => Task.FromResult(new CountSchedulesResponse());

    public Task<ListBatchOperationsResponse> ListBatchOperationsAsync(ListBatchOperationsRequest request, CallContext call) =>
        Task.FromResult(new ListBatchOperationsResponse());

    public Task<ListWorkerDeploymentsResponse> ListWorkerDeploymentsAsync(ListWorkerDeploymentsRequest request, CallContext call) =>
        Task.FromResult(new ListWorkerDeploymentsResponse());

    public Task<GetWorkerBuildIdCompatibilityResponse> GetWorkerBuildIdCompatibilityAsync(GetWorkerBuildIdCompatibilityRequest request, CallContext call) =>
        Task.FromResult(new GetWorkerBuildIdCompatibilityResponse());

    public Task<GetWorkerVersioningRulesResponse> GetWorkerVersioningRulesAsync(GetWorkerVersioningRulesRequest request, CallContext call) =>
        Task.FromResult(new GetWorkerVersioningRulesResponse());

    public Task<GetWorkerTaskReachabilityResponse> GetWorkerTaskReachabilityAsync(GetWorkerTaskReachabilityRequest request, CallContext call) =>
        Task.FromResult(new GetWorkerTaskReachabilityResponse());

    public Task<ListArchivedWorkflowExecutionsResponse> ListArchivedWorkflowExecutionsAsync(
        ListArchivedWorkflowExecutionsRequest request, CallContext call) =>
        Task.FromResult(new ListArchivedWorkflowExecutionsResponse());

    public Task<ListNexusEndpointsResponse> ListNexusEndpointsAsync(ListNexusEndpointsRequest request, CallContext call) =>
        Task.FromResult(new ListNexusEndpointsResponse());

    public Task<ListClustersResponse> ListClustersAsync(ListClustersRequest request, CallContext call) => Task.FromResult(new ListClustersResponse());
}
