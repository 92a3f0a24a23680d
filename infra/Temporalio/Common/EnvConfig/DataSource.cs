using System.Text;

namespace Temporalio.Common.EnvConfig;

/// <summary>A file, or what would stand in one.</summary>
public sealed class DataSource
{
    private readonly string? path;
    private readonly string? text;

    private DataSource(string? path, string? text) => (this.path, this.text) = (path, text);

    /// <summary>A file's path.</summary>
    public static DataSource FromPath(string path) => new(path, null);

    /// <summary>The text itself.</summary>
    public static DataSource FromUTF8String(string data) => new(null, data);

    internal string Name => path ?? "the given text";

    internal Stream Open() => path is null ? new MemoryStream(Encoding.UTF8.GetBytes(text!)) : File.OpenRead(path);
}
