namespace Alt.Tests.House;

/// <summary>The repository's own files.</summary>
internal static class Source
{
    private static readonly string[] Generated = ["bin", "obj", ".alt", ".git", "node_modules"];

    /// <summary>Paths relative to the root, with forward slashes, of files that no build made.</summary>
    public static IEnumerable<string> Files(string pattern) => Files(new DirectoryInfo(Repository.Root), pattern)
        .Select(f => Path.GetRelativePath(Repository.Root, f.FullName)).Order(StringComparer.Ordinal);

    private static IEnumerable<FileInfo> Files(DirectoryInfo folder, string pattern) => folder.EnumerateFiles(pattern)
        .Concat(folder.EnumerateDirectories().Where(d => !Generated.Contains(d.Name)).SelectMany(d => Files(d, pattern)));
}
