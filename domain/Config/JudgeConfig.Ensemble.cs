namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>The weighted mean of several judges' rewards; if one judge gives no label, the sample has none.</summary>
    public sealed record Ensemble : JudgeConfig
    {
        public IReadOnlyList<EnsembleMember> Members { get; init; } = [];

        public override IEnumerable<string> KeyPlaces => Members.SelectMany(m => m.Judge.KeyPlaces);

        public override IEnumerable<(string Key, string Folder)> Folders(string key) =>
            Members.Index().SelectMany(m => m.Item.Judge.Folders($"{key}.members[{m.Index}].judge"));

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(Members.Count < 2 ? [$"{key}.members has {Members.Count}, expected two or more"] : [])
                .Concat(Members.Any(m => m.Weight < 0) || Members.All(m => m.Weight == 0)
                    ? [$"{key}.members: expected weights of 0 or more, not all 0"]
                    : [])
                .Concat(Members.Any(m => m.Judge is Human or Ensemble) ? [$"{key}.members: people and ensembles cannot be members"] : [])
                .Concat(Members.Index().SelectMany(m => m.Item.Judge.Problems($"{key}.members[{m.Index}].judge", config)));
    }
}

public sealed record EnsembleMember
{
    public double Weight { get; init; } = 1;

    public JudgeConfig Judge { get; init; } = new JudgeConfig.RewardModel();
}
