using System.Text.Json;
using System.Text.Json.Serialization;
using Google.Protobuf;
using Temporalio.Api.Command.V1;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Temporalio.Worker.Execution;

/// <summary>The marker that keeps a local activity's outcome in the history.</summary>
internal static class LocalActivityMarker
{
    private const string MarkerName = "core_local_activity";
    private const string DataKey = "data";
    private const string ResultKey = "result";

    public static PendingCommand Command(LocalActivityOutcome outcome)
    {
        var data = new Data(outcome.Sequence, outcome.Attempt, outcome.Id, outcome.Type, outcome.Backoff?.TotalMilliseconds);
        var attributes = new RecordMarkerCommandAttributes
        {
            MarkerName = MarkerName,
            Failure = outcome.Failure,
            Details =
            {
                [DataKey] = new Payloads
                {
                    Payloads_ =
                    {
                        new Payload
                        {
                            Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain") },
                            Data = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(data)),
                        },
                    },
                },
            },
        };
        if (outcome.Result is not null)
        {
            attributes.Details[ResultKey] = outcome.Result;
        }
        return new(
            new() { CommandType = CommandType.RecordMarker, RecordMarkerCommandAttributes = attributes },
            EventType.MarkerRecorded,
            $"local activity {outcome.Type}",
            evt => Read(evt) is { } recorded
                ? PendingCommand.Compare("local activity", $"{recorded.Type} {recorded.Sequence}", $"{outcome.Type} {outcome.Sequence}")
                : "it is another marker");
    }

    /// <summary>The outcome that a marker event holds, or null for another event.</summary>
    public static LocalActivityOutcome? Read(HistoryEvent evt)
    {
        if (evt.MarkerRecordedEventAttributes is not { MarkerName: MarkerName } marker || !marker.Details.TryGetValue(DataKey, out var details))
        {
            return null;
        }
        var data = JsonSerializer.Deserialize<Data>(details.Payloads_[0].Data.Span)!;
        return new(
            data.Sequence,
            data.ActivityId,
            data.ActivityType,
            data.Attempt,
            marker.Details.TryGetValue(ResultKey, out var result) ? result : null,
            marker.Failure,
            data.BackoffMilliseconds is { } backoff ? TimeSpan.FromMilliseconds(backoff) : null);
    }

    private sealed record Data(
        [property: JsonPropertyName("seq")] int Sequence,
        [property: JsonPropertyName("attempt")] int Attempt,
        [property: JsonPropertyName("activity_id")] string ActivityId,
        [property: JsonPropertyName("activity_type")] string ActivityType,
        [property: JsonPropertyName("backoff_ms"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? BackoffMilliseconds);
}
