using Alt.Domain;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Alt.Infra;

/// <summary>Reads a YAML file as nodes, which know their lines.</summary>
public static class YamlFile
{
    /// <param name="expected">What the file should be, for the error's text.</param>
    /// <returns>The root of the file's one document; an empty mapping for an empty file.</returns>
    /// <exception cref="InputException">The file is missing, not YAML, or holds several documents.</exception>
    public static YamlNode Load(string path, string expected)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"{path}: no such file; expected {expected}");
        }

        var stream = new YamlStream();
        try
        {
            using var reader = File.OpenText(path);
            stream.Load(reader);
        }
        catch (YamlException e)
        {
            throw new InputException($"{path}:{e.Start.Line}: not valid YAML: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // YamlDotNet's scanner fails like this, without a position, for some files with an unclosed bracket.
            throw new InputException($"{path}: not valid YAML: look for a bracket that is not closed", e);
        }

        return stream.Documents.Count switch
        {
            0 => new YamlMappingNode(),
            1 => stream.Documents[0].RootNode,
            var n => throw new InputException($"{path}: holds {n} YAML documents, expected one"),
        };
    }
}
