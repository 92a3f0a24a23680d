namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>A service called over HTTP, with its own limits and prices.</summary>
    public abstract record Remote : JudgeConfig
    {
        /// <summary>Base address, such as <c>https://api.openai.com/v1</c>.</summary>
        public string Endpoint { get; init; } = "";

        /// <summary>
        /// Where the key is: <c>env:NAME</c> or <c>file:PATH</c>, read when it is used and recorded nowhere; null sends none.
        /// </summary>
        public string? ApiKey { get; init; }

        public CallsConfig Calls { get; init; } = new();

        public override IEnumerable<string> KeyPlaces => ApiKey is null ? [] : [ApiKey];

        /// <summary>
        /// Whether the service is called at all; a judge computed on this machine needs no address, quota or price.
        /// </summary>
        protected virtual bool IsAsked => true;

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            (IsAsked ? AccountProblems(key, config) : []).Concat(base.Problems(key, config));

        /// <summary>One line per setting that makes requests impossible.</summary>
        private protected virtual IEnumerable<string> AccountProblems(string key, RunConfig config)
        {
            // Neither is repeated: there may be a secret in it.
            if (!Uri.TryCreate(Endpoint, UriKind.Absolute, out var address)
                || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0 || address.Query.Length > 0)
            {
                yield return $"{key}.endpoint: expected a base address without user and query, such as https://api.example.org/v1";
            }

            if (ApiKey is not null && !ApiKey.StartsWith("env:", StringComparison.Ordinal)
                && !ApiKey.StartsWith("file:", StringComparison.Ordinal))
            {
                yield return $"{key}.apiKey must say where the key is, env:NAME or file:PATH; a key itself must not stand in a "
                    + "config, which is recorded";
            }

            foreach (var problem in Calls.Problems(key))
            {
                yield return problem;
            }

            if (config.Feedback.Budget is { Run: > 0 } or { Iteration: > 0 } && Calls is { InputPrice: 0, OutputPrice: 0 })
            {
                yield return $"feedback.budget limits money, and {key}.calls has no inputPrice and outputPrice to count it by";
            }
        }
    }

    /// <summary>
    /// Any reward model behind HTTP: <c>{"samples":[{"prompt","text"}]}</c> is posted, <c>{"scores":[number or null]}</c> comes back,
    /// higher is better.
    /// </summary>
    public sealed record Scorer : Remote
    {
        /// <summary>The model's name, sent along; part of the version that is recorded.</summary>
        public string Model { get; init; } = "scorer";

        /// <summary>Samples per request.</summary>
        public int Batch { get; init; } = 32;

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config).Concat(Batch < 1 ? [$"{key}.batch is {Batch}, expected 1 or more"] : []);
    }

    /// <summary>
    /// Perspective's comment analyser: the reward is 1 - the summary score, the largest one where several attributes are asked for.
    /// </summary>
    public sealed record Perspective : Remote
    {
        public IReadOnlyList<string> Attributes { get; init; } = ["TOXICITY"];

        public string Language { get; init; } = "en";

        /// <summary>Score prompt and response together rather than the response alone (paper section 4.1).</summary>
        public bool WithPrompt { get; init; }

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config).Concat(Attributes.Count == 0 ? [$"{key}.attributes is empty, expected names such as TOXICITY"] : []);
    }
}
