namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>
    /// Reverse-engineered reward (arXiv 2402.03469): relevance, length and repetition. Embeddings come from an endpoint of the embeddings
    /// API, or from an encoder on this machine.
    /// </summary>
    public sealed record R3 : Remote
    {
        /// <summary>The embedding model; the paper's is facebook/contriever with mean pooling.</summary>
        public string Model { get; init; } = "facebook/contriever";

        /// <summary>
        /// A folder with an encoder's config.json, weights and tokenizer, as <see cref="Checkpoint.Folder"/> has them, in place of an
        /// endpoint; null asks the endpoint.
        /// </summary>
        public string? Encoder { get; init; }

        /// <summary>
        /// Tells closed queries, which have one right answer, from open ones; its categories are these two words, open first.
        /// Null treats queries that have a reference as closed.
        /// </summary>
        public LanguageModel? Classifier { get; init; }

        public bool LengthIncentive { get; init; } = true;

        public bool RepetitionPenalty { get; init; } = true;

        /// <summary>Most tokens that a response may have; a closed query's relevance is scaled to 0 .. this / 100.</summary>
        public int MaxSequenceLength { get; init; } = 512;

        protected override bool IsAsked => Encoder is null;

        public override IEnumerable<(string Key, string Folder)> Folders(string key) =>
            Encoder is null ? [] : [($"{key}.encoder", Encoder)];

        public override IEnumerable<string> KeyPlaces => [.. base.KeyPlaces, .. Classifier?.KeyPlaces ?? []];

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(Encoder is not null && Endpoint.Length > 0
                    ? [$"{key} has an endpoint and an encoder, expected one of them for the embeddings"]
                    : [])
                .Concat(Classifier?.ClassifierProblems($"{key}.classifier", config) ?? []);
    }
}
