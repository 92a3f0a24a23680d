using Temporalio.Api.Command.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.History.V1;

namespace Temporalio.Worker.Execution;

/// <summary>A command and the event that it becomes.</summary>
/// <param name="command">The command.</param>
/// <param name="eventType">Kind of the event.</param>
/// <param name="subject">What it is about, such as an activity type; for messages.</param>
/// <param name="difference">Says how an event of that kind differs from this command, or null if it does not.</param>
/// <param name="recorded">Called with the event.</param>
internal sealed class PendingCommand(
    Command command, EventType eventType, string subject, Func<HistoryEvent, string?>? difference = null, Action<HistoryEvent>? recorded = null)
{
    public Command Command => command;

    public EventType EventType => eventType;

    /// <summary>Whether histories without the event are fine.</summary>
    public bool Optional { get; init; }

    public string? Difference(HistoryEvent evt) => difference?.Invoke(evt);

    public void Recorded(HistoryEvent evt) => recorded?.Invoke(evt);

    public override string ToString() => $"{command.CommandType} ({subject})";

    /// <summary>The difference between two values of one attribute, or null.</summary>
    public static string? Compare(string attribute, string inHistory, string inCode) =>
        inHistory == inCode ? null : $"{attribute} is '{inHistory}' in the history, '{inCode}' in the code";
}
