using Google.Protobuf;
using Temporalio.Api.History.V1;

namespace Temporalio.Common;

/// <summary>The events of one workflow run.</summary>
/// <param name="Id">Workflow ID.</param>
/// <param name="Events">Events in order, from the first one.</param>
public record WorkflowHistory(string Id, IReadOnlyCollection<HistoryEvent> Events)
{
    // Old servers and the UI write enum names without their prefix, newer ones with it; both must load.
    private static readonly JsonParser Parser = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>Reads a history from the JSON that <c>temporal workflow show --output json</c>, tctl and <see cref="ToJson"/> write.</summary>
    /// <param name="workflowId">ID of the workflow; the JSON does not hold it.</param>
    /// <param name="json">The JSON document.</param>
    /// <exception cref="InvalidProtocolBufferException">The JSON is not a history.</exception>
    public static WorkflowHistory FromJson(string workflowId, string json) =>
        new(workflowId, Parser.Parse<History>(HistoryJson.WithFullEnumNames(json)).Events);

    /// <summary>Writes the history as JSON.</summary>
    public string ToJson()
    {
        var history = new History();
        history.Events.AddRange(Events);
        return JsonFormatter.Default.Format(history);
    }
}
