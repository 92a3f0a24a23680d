namespace Alt.Tests.Infra.Marten;

public sealed record QuestStarted(string Name);

public sealed record MembersJoined(int Day, string[] Members);

public sealed record MembersDeparted(int Day, string[] Members);

public sealed record QuestEnded(string Name);

/// <summary>An aggregate in the convention's shape.</summary>
public sealed record QuestParty(string Id, string Name, IReadOnlyList<string> Members)
{
    public long Version { get; set; }

    public static QuestParty Create(QuestStarted started) => new("", started.Name, []);

    public QuestParty Apply(MembersJoined joined) => this with { Members = [.. Members, .. joined.Members] };

    public QuestParty Apply(MembersDeparted departed) => this with { Members = [.. Members.Except(departed.Members)] };

    public static bool ShouldDelete(QuestEnded _) => true;
}
