using System.Text.RegularExpressions;

namespace Alt.Domain;

/// <summary>The reverse-engineered reward of Kim and Seo (arXiv 2402.03469), with the constants of their released code.</summary>
public static partial class R3
{
    /// <summary>The largest dot product of two of Contriever's embeddings that a closed query's relevance is scaled from.</summary>
    private const double LargestRelevance = 3.5;

    private const double WordsPerPoint = 100;

    /// <summary>Where a response is cut: the next speaker, or what models write after they have ended.</summary>
    private static readonly string[] Ends = ["\n\nHuman:", "\n\nAssistant:", "\n\n\n\n", "\n\n--", "\n\n____"];

    /// <summary>R3 of an open query: r_x LI(y) RP(y).</summary>
    /// <param name="relevance">M(x) . M(y), a dot product of embeddings and no cosine.</param>
    public static double Open(string response, double relevance, bool lengthIncentive = true, bool repetitionPenalty = true) =>
        relevance * (lengthIncentive ? LengthIncentive(response) : 1) * (repetitionPenalty ? RepetitionPenalty(response) : 1);

    /// <summary>R3 of a closed query: F(r_y) RP(y), where F scales 0 .. 3.5 to 0 .. maxSequenceLength / 100 and does not clip.</summary>
    /// <param name="relevance">M(y*) . M(y) for the reference y*.</param>
    public static double Closed(string response, double relevance, int maxSequenceLength = 512, bool repetitionPenalty = true) =>
        relevance / LargestRelevance * (maxSequenceLength / WordsPerPoint) * (repetitionPenalty ? RepetitionPenalty(response) : 1);

    /// <summary>LI(y): words / 100.</summary>
    public static double LengthIncentive(string response) => Words(response).Length / WordsPerPoint;

    /// <summary>RP(y): unique trigrams / trigrams; 1 without trigrams.</summary>
    public static double RepetitionPenalty(string response)
    {
        var words = Words(response);
        var trigrams = Enumerable.Range(0, Math.Max(0, words.Length - 2)).Select(i => (words[i], words[i + 1], words[i + 2])).ToArray();
        return trigrams.Length == 0 ? 1 : (double)trigrams.Distinct().Count() / trigrams.Length;
    }

    /// <summary>A response up to where it ended.</summary>
    public static string Cut(string response)
    {
        var end = Ends.Select(e => response.IndexOf(e, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(response.Length).Min();
        return response[..end];
    }

    // Runs of word characters, and runs of what is neither that nor white space, as nltk's wordpunct_tokenize cuts them.
    private static string[] Words(string response) => [.. WordOrMarks().Matches(response).Select(m => m.Value)];

    [GeneratedRegex(@"\w+|[^\w\s]+")]
    private static partial Regex WordOrMarks();
}
