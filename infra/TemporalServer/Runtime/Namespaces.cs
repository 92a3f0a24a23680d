using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Npgsql;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.ErrorDetails.V1;
using Temporalio.Api.Namespace.V1;
using Temporalio.Api.WorkflowService.V1;
using TemporalServer.Persistence;

namespace TemporalServer.Runtime;

/// <summary>The namespaces: all in memory, all stored.</summary>
internal sealed class Namespaces(Database database, ServerLimits limits)
{
    public static readonly TimeSpan DefaultRetention = TimeSpan.FromDays(30);

    private readonly ConcurrentDictionary<string, DescribeNamespaceResponse> _byName = new();

    public IEnumerable<DescribeNamespaceResponse> All => _byName.Values.OrderBy(n => n.NamespaceInfo.Name, StringComparer.Ordinal);

    public bool Exists(string name) => _byName.ContainsKey(name);

    /// <exception cref="RpcError">NOT_FOUND.</exception>
    public DescribeNamespaceResponse Find(string name, string id) =>
        (name.Length > 0 ? _byName.GetValueOrDefault(name) : _byName.Values.FirstOrDefault(n => n.NamespaceInfo.Id == id))
        ?? throw new RpcError(
            StatusCode.NotFound, $"Namespace {(name.Length > 0 ? name : id)} is not found.",
            new NamespaceNotFoundFailure { Namespace = name });

    public TimeSpan Retention(string name) =>
        _byName.TryGetValue(name, out var n) ? n.Config.WorkflowExecutionRetentionTtl.ToTimeSpan() : DefaultRetention;

    /// <summary>Loads what is stored and adds the default namespace where it is missing.</summary>
    public async Task LoadAsync(string defaultNamespace, CancellationToken cancellation)
    {
        await using (var command = database.Source.CreateCommand($"SELECT description FROM {database.Schema}.namespaces"))
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                var ns = DescribeNamespaceResponse.Parser.ParseFrom(reader.GetFieldValue<byte[]>(0));
                DescribeServer(ns.NamespaceInfo);
                _byName[ns.NamespaceInfo.Name] = ns;
            }
        }

        if (!Exists(defaultNamespace))
        {
            await SaveAsync(New(new RegisterNamespaceRequest { Namespace = defaultNamespace }));
        }
    }

    public async Task RegisterAsync(RegisterNamespaceRequest request)
    {
        if (request.Namespace.Length == 0)
        {
            throw RpcError.InvalidArgument("Namespace not set on request.");
        }

        if (Exists(request.Namespace))
        {
            throw new RpcError(StatusCode.AlreadyExists, "Namespace already exists.", new NamespaceAlreadyExistsFailure());
        }

        await SaveAsync(New(request));
    }

    public async Task SaveAsync(DescribeNamespaceResponse ns)
    {
        await using var command = database.Source.CreateCommand(
            $"INSERT INTO {database.Schema}.namespaces (name, description) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET "
            + "description = excluded.description");
        command.Parameters.Add(new() { Value = ns.NamespaceInfo.Name });
        command.Parameters.Add(new() { Value = ns.ToByteArray() });
        await command.ExecuteNonQueryAsync();
        _byName[ns.NamespaceInfo.Name] = ns;
    }

    private DescribeNamespaceResponse New(RegisterNamespaceRequest request)
    {
        var ns = new DescribeNamespaceResponse
        {
            NamespaceInfo = new()
            {
                Name = request.Namespace,
                Id = Guid.NewGuid().ToString(),
                State = NamespaceState.Registered,
                Description = request.Description,
                OwnerEmail = request.OwnerEmail,
            },
            Config = new()
            {
                WorkflowExecutionRetentionTtl = request.WorkflowExecutionRetentionPeriod ?? Duration.FromTimeSpan(DefaultRetention),
                HistoryArchivalState = ArchivalState.Disabled,
                VisibilityArchivalState = ArchivalState.Disabled,
            },
            ReplicationConfig = new() { ActiveClusterName = "active" },
        };
        DescribeServer(ns.NamespaceInfo);
        ns.NamespaceInfo.Data.Add(request.Data);
        ns.ReplicationConfig.Clusters.Add(new Temporalio.Api.Replication.V1.ClusterReplicationConfig { ClusterName = "active" });
        return ns;
    }

    // The capabilities of this server, not of the one that stored the namespace.
    private void DescribeServer(NamespaceInfo info)
    {
        info.Capabilities = new() { SyncUpdate = true, AsyncUpdate = true, WorkerHeartbeats = true, WorkerPollCompleteOnShutdown = true };
        info.Limits = new() { BlobSizeLimitError = limits.PayloadBytes, MemoSizeLimitError = limits.PayloadBytes };
    }
}
