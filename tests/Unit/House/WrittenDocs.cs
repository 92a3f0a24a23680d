namespace Alt.Tests.House;

/// <summary>Files of docs/ that the product writes. ALT_WRITE_DOCS=1 ./alt test unit writes them again.</summary>
internal static class WrittenDocs
{
    private const string Variable = "ALT_WRITE_DOCS";

    public static async Task RequireAsync(string path, string expected)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 })
        {
            await File.WriteAllTextAsync(path, expected);
        }

        Assert.Equal(expected, await File.ReadAllTextAsync(path));
    }
}
