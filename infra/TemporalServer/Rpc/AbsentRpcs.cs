using Grpc.Core;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>
/// Lists of what this server does not have: schedules, batches, worker versions and deployments. They are empty, and user interfaces show
/// them so.
/// </summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<AbsentRpcs>), "Bind")]
internal class AbsentRpcs
{
    public virtual Task<ListSchedulesResponse> ListSchedules(ListSchedulesRequest request, ServerCallContext call) =>
        Task.FromResult(new ListSchedulesResponse());

    public virtual Task<CountSchedulesResponse> CountSchedules(CountSchedulesRequest request, ServerCallContext call) =>
        Task.FromResult(new CountSchedulesResponse());

    public virtual Task<ListBatchOperationsResponse> ListBatchOperations(ListBatchOperationsRequest request, ServerCallContext call) =>
        Task.FromResult(new ListBatchOperationsResponse());

    public virtual Task<ListWorkerDeploymentsResponse> ListWorkerDeployments(
        ListWorkerDeploymentsRequest request, ServerCallContext call) =>
        Task.FromResult(new ListWorkerDeploymentsResponse());

    public virtual Task<GetWorkerBuildIdCompatibilityResponse> GetWorkerBuildIdCompatibility(
        GetWorkerBuildIdCompatibilityRequest request, ServerCallContext call) =>
        Task.FromResult(new GetWorkerBuildIdCompatibilityResponse());

    public virtual Task<GetWorkerVersioningRulesResponse> GetWorkerVersioningRules(
        GetWorkerVersioningRulesRequest request, ServerCallContext call) =>
        Task.FromResult(new GetWorkerVersioningRulesResponse());

    public virtual Task<GetWorkerTaskReachabilityResponse> GetWorkerTaskReachability(
        GetWorkerTaskReachabilityRequest request, ServerCallContext call) =>
        Task.FromResult(new GetWorkerTaskReachabilityResponse());

    public virtual Task<ListArchivedWorkflowExecutionsResponse> ListArchivedWorkflowExecutions(
        ListArchivedWorkflowExecutionsRequest request, ServerCallContext call) =>
        Task.FromResult(new ListArchivedWorkflowExecutionsResponse());
}
