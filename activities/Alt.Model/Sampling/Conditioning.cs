using Alt.Domain;
using Alt.Model.Tokenizers;

namespace Alt.Model.Sampling;

/// <summary>
/// Puts feedback in front of a prompt: <c>ids(f) separator ids(x)</c> with f in ordinary tokens, or as one added token
/// (paper section 2.2; both kinds of tag are data of one scheme).
/// </summary>
public sealed class Conditioning(FeedbackConfig config, Tokenizer tokenizer)
{
    private readonly int[][] _tags = [.. config.Tags.Select(tag => Encode(config, tokenizer, tag))];

    /// <summary>The tokens that a base model's vocabulary grows by.</summary>
    public static IReadOnlyList<string> AddedTokens(FeedbackConfig config) =>
        config.Encoding == TagEncoding.Text ? [config.Separator] : [config.Separator, .. config.Tags.Select(SpecialToken)];

    /// <summary>Tokens that stand for feedback only and may never be generated.</summary>
    public IReadOnlyList<int> BannedTokens { get; } = [.. AddedTokens(config).Select(t => Id(tokenizer, t))];

    /// <summary>The feedback of a quantile, 0 = best, separator included.</summary>
    public IReadOnlyList<int> Of(int quantile) => _tags[quantile];

    /// <summary>Any feedback text, as a user gives it; separator included.</summary>
    /// <exception cref="InputException">The run's tags are special tokens and the text is none of them.</exception>
    public IReadOnlyList<int> Of(string feedback) =>
        config.Encoding == TagEncoding.Text || config.Tags.Contains(feedback)
            ? Encode(config, tokenizer, feedback)
            : throw new InputException($"--feedback: this run knows only its own tags: {string.Join(", ", config.Tags)}");

    private static int[] Encode(FeedbackConfig config, Tokenizer tokenizer, string feedback)
    {
        var separator = Id(tokenizer, config.Separator);
        return config.Encoding == TagEncoding.Text
            ? [.. tokenizer.Encode(feedback), separator]
            : [Id(tokenizer, SpecialToken(feedback)), separator];
    }

    private static string SpecialToken(string tag) => $"<|{tag}|>";

    private static int Id(Tokenizer tokenizer, string token) =>
        tokenizer.IdOf(token) ?? throw new InvalidOperationException($"The tokenizer lacks the added token {token}.");
}
