using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace Alt.Tests;

/// <summary>JavaScript that a test runs, in an ignored folder with the packages that its lock file names.</summary>
internal sealed class NodeProject
{
    // Only one npm at a time may use its cache and a folder.
    private static readonly Lock Installing = new();

    /// <summary>Copies the files of a folder under tests, and installs their packages where they are missing or have changed.</summary>
    /// <exception cref="InvalidOperationException">npm or its registry is missing: these tests never skip.</exception>
    public NodeProject(params string[] source)
    {
        Folder = Repository.PathOf(".alt", "tests", source[^1]);
        lock (Installing)
        {
            Copy(Repository.PathOf(["tests", .. source]));
            Install();
        }
    }

    public string Folder { get; }

    /// <summary>Runs node to its end and returns what it printed.</summary>
    public string Run(string script, string input = "") => Run("node", [script], input);

    public Process Start(string program, params string[] arguments)
    {
        try
        {
            return Process.Start(new ProcessStartInfo(program, arguments)
            {
                WorkingDirectory = Folder,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardInputEncoding = new UTF8Encoding(false),
            })!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException(
                $"{program} cannot be started ({e.Message}). These tests need Node.js with npm: ./alt test installs it, "
                + "or: apt-get install npm", e);
        }
    }

    private void Copy(string source)
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetExtension(f) is ".js" or ".mjs" or ".json"))
        {
            var copy = Path.Combine(Folder, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy, overwrite: true);
        }
    }

    private void Install()
    {
        var installed = Path.Combine(Folder, "node_modules", ".installed");
        var wanted = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, "package-lock.json"))));
        if (File.Exists(installed) && File.ReadAllText(installed) == wanted)
        {
            return;
        }

        Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "");
        File.WriteAllText(installed, wanted);
    }

    private string Run(string program, string[] arguments, string input)
    {
        using var process = Start(program, arguments);
        var errors = new StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginErrorReadLine();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException(
            $"{program} {string.Join(' ', arguments)} in {Folder} ended with {process.ExitCode}: {Excerpt(errors.ToString())}"
            + (program == "npm" ? " (npm must reach its registry, see: npm config get registry)" : ""));
    }

    // npm's first lines tell the cause; node's stack traces put it in the middle of a few.
    private static string Excerpt(string text) =>
        string.Join(" | ", text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Take(6));
}
