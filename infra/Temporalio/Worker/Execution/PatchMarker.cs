using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;
using Temporalio.Common;

namespace Temporalio.Worker.Execution;

/// <summary>The marker that <c>Workflow.Patched</c> leaves in the history, in the form that all SDKs on Temporal's core write.</summary>
internal static class PatchMarker
{
    private const string MarkerName = "core_patch";
    private const string DetailsKey = "patch-data";

    /// <summary>Search attribute that lists the patches of a workflow, so that one can find the workflows that lack one.</summary>
    private const string ChangeVersion = "TemporalChangeVersion";

    public static PendingCommand Command(string patchId, bool deprecated)
    {
        var payload = new Payload
        {
            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
            Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(new PatchData(patchId, deprecated))),
        };
        var command = new Command
        {
            CommandType = CommandType.RecordMarker,
            RecordMarkerCommandAttributes = new() { MarkerName = MarkerName, Details = { [DetailsKey] = new Payloads { Payloads_ = { payload } } } },
        };
        // A deprecated patch stands for both paths: old histories lack the marker.
        return new(command, EventType.MarkerRecorded, $"patch {patchId}", evt => PendingCommand.Compare("patch", Read(evt)?.Id ?? "", patchId)) { Optional = deprecated };
    }

    public static PendingCommand ChangeVersionCommand(IEnumerable<string> patchIds)
    {
        var attributes = new SearchAttributes
        {
            IndexedFields = { [ChangeVersion] = SearchAttributePayload.ToPayload(IndexedValueType.KeywordList, patchIds.ToArray()) },
        };
        var command = new Command
        {
            CommandType = CommandType.UpsertWorkflowSearchAttributes,
            UpsertWorkflowSearchAttributesCommandAttributes = new() { SearchAttributes = attributes },
        };
        return new(command, EventType.UpsertWorkflowSearchAttributes, ChangeVersion, evt => IsChangeVersion(evt) ? null : "") { Optional = true };
    }

    /// <summary>The patch that a marker event records, or null for another event.</summary>
    public static string? PatchId(HistoryEvent evt) => Read(evt)?.Id;

    /// <summary>Whether an event may be in the history without the code asking for it: a deprecated patch, or the list of patches.</summary>
    public static bool IsIgnorable(HistoryEvent evt) => Read(evt) is { Deprecated: true } || IsChangeVersion(evt);

    private static bool IsChangeVersion(HistoryEvent evt) =>
        evt.UpsertWorkflowSearchAttributesEventAttributes?.SearchAttributes.IndexedFields is { Count: 1 } fields && fields.ContainsKey(ChangeVersion);

    private static PatchData? Read(HistoryEvent evt)
    {
        if (evt.MarkerRecordedEventAttributes is not { MarkerName: MarkerName } marker || !marker.Details.TryGetValue(DetailsKey, out var details))
        {
            return null;
        }
        return JsonSerializer.Deserialize<PatchData>(details.Payloads_[0].Data.Span);
    }

    private sealed record PatchData(
        [property: JsonPropertyName("id")] string Id,
        [property: JsonPropertyName("deprecated")] bool Deprecated);
}
