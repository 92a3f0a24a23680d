using System.Text.Json.Serialization;

namespace Alt.Domain;

/// <summary>Who judges a run's samples, and how it is asked.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(RewardModel), "rewardModel")]
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

    /// <summary>The text classifier that the run trains (<see cref="RunConfig.RewardModel"/>): the reward is 1 - P(toxic).</summary>
    public sealed record RewardModel : FeedbackProvider;

    /// <summary>A service that is asked over HTTP, with limits and prices of its own.</summary>
    public abstract record Remote : FeedbackProvider
    {
        /// <summary>Base address, such as <c>https://api.openai.com/v1</c>.</summary>
        public string Endpoint { get; init; } = "";

        /// <summary>Where the key is: <c>env:NAME</c> or <c>file:PATH</c>, read when it is used and recorded nowhere; null sends none.</summary>
        public string? ApiKey { get; init; }

        public CallsConfig Calls { get; init; } = new();
    }

    /// <summary>Any reward model behind HTTP: <c>{"samples":[{"prompt","text"}]}</c> is posted, <c>{"scores":[number or null]}</c> comes back, higher is better.</summary>
    public sealed record Scorer : Remote
    {
        /// <summary>The model's name, sent along; part of the version that is recorded.</summary>
        public string Model { get; init; } = "scorer";

        /// <summary>Samples per request.</summary>
        public int Batch { get; init; } = 32;
    }

    /// <summary>Perspective's comment analyser: the reward is 1 - the attribute's summary score.</summary>
    public sealed record Perspective : Remote
    {
        public string Attribute { get; init; } = "TOXICITY";

        public string Language { get; init; } = "en";

        /// <summary>Score prompt and response together rather than the response alone (paper section 4.1).</summary>
        public bool WithPrompt { get; init; }

        /// <summary>Comments per HTTP request; each counts by itself against the quota.</summary>
        public int Batch { get; init; } = 1;
    }

    /// <summary>A language model behind the chat-completions API.</summary>
    public sealed record LanguageModel : Remote
    {
        public string Model { get; init; } = "";

        public JudgeReply Reply { get; init; } = JudgeReply.Category;

        /// <summary>A file with the question (see activities/Feedback/Templates); null takes the shipped one for <see cref="Reply"/>.</summary>
        public string? Template { get; init; }

        /// <summary>What the judge calls its categories, best first, one for each of <see cref="FeedbackConfig.Tags"/>; empty takes the tags themselves.</summary>
        public IReadOnlyList<string> Categories { get; init; } = [];

        public double Temperature { get; init; }

        public int MaxTokens { get; init; } = 256;

        /// <summary>Ask for a reply by JSON schema, where the endpoint can.</summary>
        public bool Structured { get; init; }
    }

    /// <summary>Reverse-engineered reward (arXiv 2402.03469): relevance, length and repetition. Embeddings come from an endpoint of the embeddings API.</summary>
    public sealed record R3 : Remote
    {
        /// <summary>The embedding model; the paper's is facebook/contriever.</summary>
        public string Model { get; init; } = "facebook/contriever";

        /// <summary>What the run's queries are.</summary>
        public QueryType Queries { get; init; } = QueryType.Open;

        public bool LengthIncentive { get; init; } = true;

        public bool RepetitionPenalty { get; init; } = true;

        /// <summary>Most tokens that a response may have; a closed query's relevance is scaled to 0 .. this / 100.</summary>
        public int MaxSequenceLength { get; init; } = 512;
    }

    /// <summary>Regular expressions and lengths, for tests and as guards. The first rule that holds decides.</summary>
    public sealed record Rules : FeedbackProvider
    {
        public IReadOnlyList<FeedbackRule> List { get; init; } = [];

        /// <summary>The reward where no rule holds; null has no opinion then.</summary>
        public double? Otherwise { get; init; }
    }

    /// <summary>People: the samples are exported, their labels imported; the run waits in between.</summary>
    public sealed record Human : FeedbackProvider;

    /// <summary>The weighted mean of several judges' rewards; where one has no label, the sample has none.</summary>
    public sealed record Ensemble : FeedbackProvider
    {
        public IReadOnlyList<EnsembleMember> Members { get; init; } = [];
    }
}

/// <summary>What a language model is asked for: one of the categories (ALT_LMC), or free text and a score of 0 to 3 (ALT_LMU).</summary>
public enum JudgeReply { Category, Unconstrained }

/// <summary>Open: no single right answer, the response's relevance to the query counts. Closed: its relevance to a reference does.</summary>
public enum QueryType { Open, Closed }

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

    /// <summary>The sample is kept out of the pool whatever other judges say.</summary>
    public bool Veto { get; init; }
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
