using Grpc.Core;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Deployment.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Serving;

namespace TemporalServer.Rpc;

/// <summary>
/// Worker versioning, refused as Temporal's server does where it is disabled: a versioned worker must not be given tasks of any version.
/// </summary>
[BindServiceMethod(typeof(WorkflowServiceBinding<VersioningRpcs>), "Bind")]
internal class VersioningRpcs
{
    public virtual Task<DescribeWorkerDeploymentResponse> DescribeWorkerDeployment(
        DescribeWorkerDeploymentRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<DescribeWorkerDeploymentVersionResponse> DescribeWorkerDeploymentVersion(
        DescribeWorkerDeploymentVersionRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<SetWorkerDeploymentCurrentVersionResponse> SetWorkerDeploymentCurrentVersion(
        SetWorkerDeploymentCurrentVersionRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<SetWorkerDeploymentRampingVersionResponse> SetWorkerDeploymentRampingVersion(
        SetWorkerDeploymentRampingVersionRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<SetWorkerDeploymentManagerResponse> SetWorkerDeploymentManager(
        SetWorkerDeploymentManagerRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<DeleteWorkerDeploymentResponse> DeleteWorkerDeployment(
        DeleteWorkerDeploymentRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<DeleteWorkerDeploymentVersionResponse> DeleteWorkerDeploymentVersion(
        DeleteWorkerDeploymentVersionRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<UpdateWorkerDeploymentVersionMetadataResponse> UpdateWorkerDeploymentVersionMetadata(
        UpdateWorkerDeploymentVersionMetadataRequest request, ServerCallContext call) =>
        throw NoDeployments();

    public virtual Task<UpdateWorkerBuildIdCompatibilityResponse> UpdateWorkerBuildIdCompatibility(
        UpdateWorkerBuildIdCompatibilityRequest request, ServerCallContext call) =>
        throw NoVersionSets();

    public virtual Task<UpdateWorkerVersioningRulesResponse> UpdateWorkerVersioningRules(
        UpdateWorkerVersioningRulesRequest request, ServerCallContext call) =>
        throw NoVersionRules();

    /// <exception cref="RpcError">PERMISSION_DENIED: the polling worker is versioned.</exception>
    public static void EnsureUnversioned(WorkerVersionCapabilities? capabilities, WorkerDeploymentOptions? deployment)
    {
        if (deployment?.WorkerVersioningMode == WorkerVersioningMode.Versioned)
        {
            throw NoDeployments();
        }

        if (capabilities?.UseVersioning == true)
        {
            throw NoVersionRules();
        }
    }

    /// <exception cref="RpcError">PERMISSION_DENIED if the request pins the workflow to one version.</exception>
    public static void EnsureUnversioned(Temporalio.Api.Workflow.V1.VersioningOverride? wanted)
    {
        if (wanted?.OverrideCase == Temporalio.Api.Workflow.V1.VersioningOverride.OverrideOneofCase.Pinned)
        {
            throw NoDeployments();
        }
    }

    private static RpcError NoDeployments() => Disabled("Worker Deployment Versions are");

    private static RpcError NoVersionSets() => Disabled("Worker versioning v0.1 (Version Set-based, deprecated) is");

    private static RpcError NoVersionRules() => Disabled("Worker versioning v0.2 (Rules-based, deprecated) is");

    private static RpcError Disabled(string what) =>
        new(
            StatusCode.PermissionDenied, $"{what} disabled on this namespace.",
            new Temporalio.Api.ErrorDetails.V1.PermissionDeniedFailure());
}
