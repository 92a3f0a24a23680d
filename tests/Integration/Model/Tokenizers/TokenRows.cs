using Alt.Model.Tokenizers;

namespace Alt.Tests.Model;

/// <summary>Token ids that a reference printed, one line for each text.</summary>
internal static class TokenRows
{
    /// <summary>Every text of the shared data. JavaScript's \s takes U+FEFF for white space, which Unicode does not.</summary>
    public static string[] SharedTexts() => [.. SharedData.Strings().Select(text => text.Replace('\uFEFF', '\u200B'))];

    public static IEnumerable<int[]> Parse(string output) =>
        output.Split('\n')[..^1].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray());

    public static void RequireSame(Tokenizer tokenizer, string[] texts, IEnumerable<int[]> expected)
    {
        var row = 0;
        foreach (var reference in expected)
        {
            var ids = tokenizer.Encode(texts[row]);
            // Not Assert.Equal: its message would show the text.
            Assert.True(ids.AsSpan().SequenceEqual(reference), $"String {row} of the shared data has other tokens.");
            Assert.True(tokenizer.Decode(ids) == texts[row], $"String {row} of the shared data does not come back.");
            row++;
        }

        Assert.Equal(texts.Length, row);
    }
}
