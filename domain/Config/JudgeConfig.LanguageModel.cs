namespace Alt.Domain;

public abstract partial record JudgeConfig
{
    /// <summary>A language model behind the chat-completions API.</summary>
    public sealed record LanguageModel : Remote
    {
        public string Model { get; init; } = "";

        public JudgeReply Reply { get; init; } = JudgeReply.Category;

        /// <summary>
        /// The question (see Feedback/Templates of Alt.Activities), in a config file the name of a file with it; null takes the shipped one
        /// for <see cref="Reply"/>.
        /// </summary>
        public string? Template { get; init; }

        /// <summary>
        /// What the judge calls its categories, best first, one for each of <see cref="FeedbackConfig.Tags"/>; empty takes those of the
        /// shipped question.
        /// </summary>
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

        /// <summary>One line per setting with which it cannot distinguish the types of queries.</summary>
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
                yield return $"{key}.template is missing: the shipped question knows only its own categories "
                    + $"({string.Join(", ", JudgeReplies.HelpfulAndHarmless)})";
            }

            var levels = Reply == JudgeReply.Category ? Names().Count : JudgeReplies.Scores;
            if (config.Selection.Ranking == Ranking.Category && config.Feedback.Tags.Count != levels)
            {
                yield return $"feedback.tags holds {config.Feedback.Tags.Count} tags, expected one for each of the judge's {levels} "
                    + $"{(Reply == JudgeReply.Category ? "categories" : "scores")}, best first";
            }

            if (Reply == JudgeReply.Unconstrained
                && (config.Selection.Ranking != Ranking.Category || config.Feedback.Encoding != TagEncoding.Text))
            {
                yield return $"{key}.reply is unconstrained: feedback in free words needs selection.ranking category "
                    + "and feedback.encoding text";
            }
        }
    }
}

/// <summary>What a language model is asked for: one of the categories (ALT_LMC), or free text and a score of 0 to 3 (ALT_LMU).</summary>
public enum JudgeReply { Category, Unconstrained }
