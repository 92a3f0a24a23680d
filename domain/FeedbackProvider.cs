using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Alt.Domain;

/// <summary>Who judges a run's samples, and how it is asked.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RewardModel), "rewardModel")]
[JsonDerivedType(typeof(Checkpoint), "checkpoint")]
[JsonDerivedType(typeof(Scorer), "scorer")]
[JsonDerivedType(typeof(Perspective), "perspective")]
[JsonDerivedType(typeof(LanguageModel), "llm")]
[JsonDerivedType(typeof(R3), "r3")]
[JsonDerivedType(typeof(Rules), "rules")]
[JsonDerivedType(typeof(Human), "human")]
[JsonDerivedType(typeof(Ensemble), "ensemble")]
public abstract record FeedbackProvider
{
    private FeedbackProvider() { }

    /// <summary>One line per setting that cannot work.</summary>
    /// <param name="key">Where the provider stands in the config, such as <c>feedback.provider</c>.</param>
    public virtual IEnumerable<string> Problems(string key, RunConfig config)
    {
        if (config.Selection.Ranking == Ranking.Category && this is not (LanguageModel or Human))
        {
            yield return $"selection.ranking is category, which needs a provider that gives categories: {key}.kind llm or human";
        }
    }

    /// <summary>The checkpoint folders that it reads on this machine, each with its key.</summary>
    /// <param name="key">Where the provider stands in the config.</param>
    public virtual IEnumerable<(string Key, string Folder)> Folders(string key) => [];

    /// <summary>Where the keys are that it needs.</summary>
    public virtual IEnumerable<string> KeyPlaces => [];

    /// <summary>The text classifier that the run trains (<see cref="RunConfig.RewardModel"/>): the reward is 1 - P(toxic).</summary>
    public sealed record RewardModel : FeedbackProvider;

    /// <summary>A classifier or reward model on this machine, as transformers saves it: BERT, RoBERTa, or GPT-2 with a reward head.</summary>
    public sealed record Checkpoint : FeedbackProvider
    {
        // A pair takes up to four special tokens, and each text should have one of its own.
        private const int LeastLength = 6;

        /// <summary>A folder with config.json, a tokenizer and the weights: model.safetensors, pytorch_model.bin, or shards of either with their index.</summary>
        public string Folder { get; init; } = "";

        /// <summary>
        /// The class whose probability is the reward, by name or number: softmax, or sigmoid where config.json's problem_type is multi_label_classification.
        /// Null where the model has one output only, whose raw score is the reward.
        /// </summary>
        public string? Label { get; init; }

        /// <summary>The class is what is not wanted: the reward is 1 - its probability, or minus the raw score.</summary>
        public bool Unwanted { get; init; }

        /// <summary>Judge the response together with its prompt rather than alone: as a pair of texts, for GPT-2 as one text.</summary>
        public bool WithPrompt { get; init; }

        /// <summary>Most tokens that are read, special ones included; 0 is as many as the model can. Of a longer pair the ends go, for GPT-2 the start.</summary>
        public int MaxLength { get; init; }

        /// <summary>Texts that are read together. Decides how sums are rounded, so part of the result.</summary>
        public int BatchSize { get; init; } = 32;

        public override IEnumerable<(string Key, string Folder)> Folders(string key) => [($"{key}.folder", Folder)];

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(Folder.Length == 0 ? [$"{key}.folder is missing, expected a folder with config.json, the weights and a tokenizer"] : [])
                .Concat(MaxLength is 0 or >= LeastLength ? [] : [$"{key}.maxLength is {MaxLength}, expected 0 (the model's own) or at least {LeastLength}"])
                .Concat(BatchSize >= 1 ? [] : [$"{key}.batchSize is {BatchSize}, expected 1 or more"]);
    }

    /// <summary>A service that is asked over HTTP, with limits and prices of its own.</summary>
    public abstract record Remote : FeedbackProvider
    {
        /// <summary>Base address, such as <c>https://api.openai.com/v1</c>.</summary>
        public string Endpoint { get; init; } = "";

        /// <summary>Where the key is: <c>env:NAME</c> or <c>file:PATH</c>, read when it is used and recorded nowhere; null sends none.</summary>
        public string? ApiKey { get; init; }

        public CallsConfig Calls { get; init; } = new();

        public override IEnumerable<string> KeyPlaces => ApiKey is null ? [] : [ApiKey];

        /// <summary>Whether it is asked at all; a provider that is computed on this machine instead needs no address, quota or price.</summary>
        protected virtual bool IsAsked => true;

        public override IEnumerable<string> Problems(string key, RunConfig config) => (IsAsked ? AccountProblems(key, config) : []).Concat(base.Problems(key, config));

        /// <summary>One line per setting with which nobody can be asked.</summary>
        private protected virtual IEnumerable<string> AccountProblems(string key, RunConfig config)
        {
            // Neither is repeated: there may be a secret in it.
            if (!Uri.TryCreate(Endpoint, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https") || address.UserInfo.Length > 0 || address.Query.Length > 0)
            {
                yield return $"{key}.endpoint: expected a base address without user and query, such as https://api.example.org/v1";
            }

            if (ApiKey is not null && !ApiKey.StartsWith("env:", StringComparison.Ordinal) && !ApiKey.StartsWith("file:", StringComparison.Ordinal))
            {
                yield return $"{key}.apiKey must say where the key is, env:NAME or file:PATH; a key itself must not stand in a config, which is recorded";
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

    /// <summary>Any reward model behind HTTP: <c>{"samples":[{"prompt","text"}]}</c> is posted, <c>{"scores":[number or null]}</c> comes back, higher is better.</summary>
    public sealed record Scorer : Remote
    {
        /// <summary>The model's name, sent along; part of the version that is recorded.</summary>
        public string Model { get; init; } = "scorer";

        /// <summary>Samples per request.</summary>
        public int Batch { get; init; } = 32;

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config).Concat(Batch < 1 ? [$"{key}.batch is {Batch}, expected 1 or more"] : []);
    }

    /// <summary>Perspective's comment analyser: the reward is 1 - the summary score, the largest one where several attributes are asked for.</summary>
    public sealed record Perspective : Remote
    {
        public IReadOnlyList<string> Attributes { get; init; } = ["TOXICITY"];

        public string Language { get; init; } = "en";

        /// <summary>Score prompt and response together rather than the response alone (paper section 4.1).</summary>
        public bool WithPrompt { get; init; }

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config).Concat(Attributes.Count == 0 ? [$"{key}.attributes is empty, expected names such as TOXICITY"] : []);
    }

    /// <summary>A language model behind the chat-completions API.</summary>
    public sealed record LanguageModel : Remote
    {
        public string Model { get; init; } = "";

        public JudgeReply Reply { get; init; } = JudgeReply.Category;

        /// <summary>The question (see activities/Feedback/Templates), in a config file the name of a file with it; null takes the shipped one for <see cref="Reply"/>.</summary>
        public string? Template { get; init; }

        /// <summary>What the judge calls its categories, best first, one for each of <see cref="FeedbackConfig.Tags"/>; empty takes those of the shipped question.</summary>
        public IReadOnlyList<string> Categories { get; init; } = [];

        public double Temperature { get; init; }

        public int MaxTokens { get; init; } = 256;

        /// <summary>Ask for a reply by JSON schema, where the endpoint can.</summary>
        public bool Structured { get; init; }

        /// <summary>The categories in the judge's own words, best first.</summary>
        public IReadOnlyList<string> Names() => Categories.Count > 0 ? Categories : JudgeReplies.HelpfulAndHarmless;

        private protected override IEnumerable<string> AccountProblems(string key, RunConfig config) =>
            base.AccountProblems(key, config)
                .Concat(Model.Length == 0 ? [$"{key}.model is missing, expected the name of a model at the endpoint"] : [])
                .Concat(MaxTokens < 1 || Temperature < 0 ? [$"{key}.maxTokens must be 1 or more, and temperature 0 or more"] : []);

        /// <summary>One line per setting with which it cannot tell the types of queries.</summary>
        internal IEnumerable<string> ClassifierProblems(string key, RunConfig config) =>
            AccountProblems(key, config).Concat(Reply != JudgeReply.Category ? [$"{key}.reply must be category"] : []);

        public override IEnumerable<string> Problems(string key, RunConfig config)
        {
            foreach (var problem in base.Problems(key, config))
            {
                yield return problem;
            }

            if (Reply == JudgeReply.Category && Categories.Count > 0 && Template is null)
            {
                yield return $"{key}.template is missing: the shipped question knows only its own categories ({string.Join(", ", JudgeReplies.HelpfulAndHarmless)})";
            }

            var levels = Reply == JudgeReply.Category ? Names().Count : JudgeReplies.Scores;
            if (config.Selection.Ranking == Ranking.Category && config.Feedback.Tags.Count != levels)
            {
                yield return $"feedback.tags holds {config.Feedback.Tags.Count} tags, expected one for each of the judge's {levels} {(Reply == JudgeReply.Category ? "categories" : "scores")}, best first";
            }

            if (Reply == JudgeReply.Unconstrained && (config.Selection.Ranking != Ranking.Category || config.Feedback.Encoding != TagEncoding.Text))
            {
                yield return $"{key}.reply is unconstrained: feedback in free words needs selection.ranking category and feedback.encoding text";
            }
        }
    }

    /// <summary>Reverse-engineered reward (arXiv 2402.03469): relevance, length and repetition. Embeddings come from an endpoint of the embeddings API, or from an encoder on this machine.</summary>
    public sealed record R3 : Remote
    {
        /// <summary>The embedding model; the paper's is facebook/contriever with mean pooling.</summary>
        public string Model { get; init; } = "facebook/contriever";

        /// <summary>A folder with an encoder's config.json, weights and tokenizer, as <see cref="Checkpoint.Folder"/> has them, in place of an endpoint; null asks the endpoint.</summary>
        public string? Encoder { get; init; }

        /// <summary>
        /// Tells closed queries, which have one right answer, from open ones; its categories are these two words, open first.
        /// Null takes the queries for closed that have a reference.
        /// </summary>
        public LanguageModel? Classifier { get; init; }

        public bool LengthIncentive { get; init; } = true;

        public bool RepetitionPenalty { get; init; } = true;

        /// <summary>Most tokens that a response may have; a closed query's relevance is scaled to 0 .. this / 100.</summary>
        public int MaxSequenceLength { get; init; } = 512;

        protected override bool IsAsked => Encoder is null;

        public override IEnumerable<(string Key, string Folder)> Folders(string key) => Encoder is null ? [] : [($"{key}.encoder", Encoder)];

        public override IEnumerable<string> KeyPlaces => [.. base.KeyPlaces, .. Classifier?.KeyPlaces ?? []];

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(Encoder is not null && Endpoint.Length > 0 ? [$"{key} has an endpoint and an encoder, expected one of them for the embeddings"] : [])
                .Concat(Classifier?.ClassifierProblems($"{key}.classifier", config) ?? []);
    }

    /// <summary>Regular expressions and lengths, for tests and as guards. The first rule that holds decides.</summary>
    public sealed record Rules : FeedbackProvider
    {
        public IReadOnlyList<FeedbackRule> List { get; init; } = [];

        /// <summary>The reward where no rule holds; null has no opinion then.</summary>
        public double? Otherwise { get; init; }

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(List.Count == 0 ? [$"{key}.list is empty, expected rules"] : [])
                .Concat(List.Index().SelectMany(rule => rule.Item.Problems($"{key}.list[{rule.Index}]")));
    }

    /// <summary>People: the samples are exported, their labels imported; the run waits in between.</summary>
    public sealed record Human : FeedbackProvider;

    /// <summary>The weighted mean of several judges' rewards; where one has no label, the sample has none.</summary>
    public sealed record Ensemble : FeedbackProvider
    {
        public IReadOnlyList<EnsembleMember> Members { get; init; } = [];

        public override IEnumerable<string> KeyPlaces => Members.SelectMany(m => m.Provider.KeyPlaces);

        public override IEnumerable<(string Key, string Folder)> Folders(string key) => Members.Index().SelectMany(m => m.Item.Provider.Folders($"{key}.members[{m.Index}].provider"));

        public override IEnumerable<string> Problems(string key, RunConfig config) =>
            base.Problems(key, config)
                .Concat(Members.Count < 2 ? [$"{key}.members has {Members.Count}, expected two or more"] : [])
                .Concat(Members.Any(m => m.Weight < 0) || Members.All(m => m.Weight == 0) ? [$"{key}.members: expected weights of 0 or more, not all 0"] : [])
                .Concat(Members.Any(m => m.Provider is Human or Ensemble) ? [$"{key}.members: people and ensembles cannot be members"] : [])
                .Concat(Members.Index().SelectMany(m => m.Item.Provider.Problems($"{key}.members[{m.Index}].provider", config)));
    }
}

/// <summary>What a language model is asked for: one of the categories (ALT_LMC), or free text and a score of 0 to 3 (ALT_LMU).</summary>
public enum JudgeReply { Category, Unconstrained }

/// <summary>A rule holds where all its conditions do.</summary>
public sealed record FeedbackRule
{
    /// <summary>A regular expression that the generation matches somewhere; null matches all.</summary>
    public string? Matches { get; init; }

    /// <summary>Least number of characters, without outer white space.</summary>
    public int MinLength { get; init; }

    /// <summary>Most characters; 0 is no limit.</summary>
    public int MaxLength { get; init; }

    public double Reward { get; init; }

    /// <summary>The sample is kept out of the pool whatever other judges say; the reward does not count then.</summary>
    public bool Veto { get; init; }

    public bool Holds(string text)
    {
        var length = text.Trim().Length;
        return length >= MinLength && (MaxLength == 0 || length <= MaxLength) && (Matches is null || Regex.IsMatch(text, Matches, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
    }

    public IEnumerable<string> Problems(string key)
    {
        if (Matches is not null && !IsExpression(Matches))
        {
            yield return $"{key}.matches is '{Matches}', expected a regular expression without backreferences and lookarounds";
        }

        if (MinLength < 0 || MaxLength < 0 || MaxLength > 0 && MaxLength < MinLength)
        {
            yield return $"{key}: minLength {MinLength} and maxLength {MaxLength} do not fit together";
        }
    }

    private static bool IsExpression(string pattern)
    {
        try
        {
            _ = Regex.IsMatch("", pattern, RegexOptions.NonBacktracking);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}

public sealed record EnsembleMember
{
    public double Weight { get; init; } = 1;

    public FeedbackProvider Provider { get; init; } = new FeedbackProvider.RewardModel();
}

/// <summary>Limits and prices of calls to a remote judge. Workers and runs that name the same endpoint, model and key share the limits.</summary>
public sealed record CallsConfig
{
    /// <summary>0 is no limit. Requests are spread evenly, so a second has no more than its share.</summary>
    public int RequestsPerMinute { get; init; }

    /// <summary>Input and output together; 0 is no limit.</summary>
    public int TokensPerMinute { get; init; }

    /// <summary>Requests that wait for their reply at once, over all workers.</summary>
    public int Concurrency { get; init; } = 16;

    /// <summary>How long one attempt may take.</summary>
    public double TimeoutSeconds { get; init; } = 60;

    /// <summary>How often a request is sent at most; one that was answered is never sent again.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>US dollars per million input tokens.</summary>
    public decimal InputPrice { get; init; }

    /// <summary>US dollars per million output tokens.</summary>
    public decimal OutputPrice { get; init; }

    /// <summary>What a call costs, in US dollars.</summary>
    public decimal CostOf(long inputTokens, long outputTokens) => (inputTokens * InputPrice + outputTokens * OutputPrice) / 1_000_000;

    public IEnumerable<string> Problems(string key)
    {
        if (RequestsPerMinute < 0 || TokensPerMinute < 0)
        {
            yield return $"{key}.calls: requestsPerMinute and tokensPerMinute must be 0 (no limit) or more";
        }

        if (Concurrency < 1 || Attempts < 1 || TimeoutSeconds is not (> 0 and <= 3600))
        {
            yield return $"{key}.calls: expected concurrency and attempts of 1 or more, and timeoutSeconds above 0 and at most 3600";
        }

        if (InputPrice < 0 || OutputPrice < 0)
        {
            yield return $"{key}.calls: prices must not be negative";
        }
    }
}

/// <summary>What a run may spend on judges. 0 is no limit. A run that would pass a limit is paused before it does.</summary>
public sealed record BudgetConfig
{
    /// <summary>US dollars over the whole run.</summary>
    public decimal Run { get; init; }

    /// <summary>US dollars in any one iteration.</summary>
    public decimal Iteration { get; init; }

    /// <summary>Input and output tokens over the whole run.</summary>
    public long RunTokens { get; init; }

    /// <summary>Input and output tokens in any one iteration.</summary>
    public long IterationTokens { get; init; }
}
