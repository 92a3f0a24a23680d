using Alt.Activities.Model;
using TorchSharp;

namespace Alt.Tests.Activities.Model.Encoders;

/// <summary>A copy of one of Golden/encoders' checkpoints that a test may change.</summary>
internal sealed class CheckpointCopy : IDisposable
{
    public CheckpointCopy(string name)
    {
        foreach (var file in Directory.GetFiles(EncoderReference.Folder(name)))
        {
            File.Copy(file, Path.Combine(Folder, Path.GetFileName(file)));
        }
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("alt-checkpoint-").FullName;

    public string Weights => PathOf("model.safetensors");

    public string PathOf(string file) => Path.Combine(Folder, file);

    /// <summary>Replaces a text that the file holds.</summary>
    public void Change(string file, string old, string @new)
    {
        var text = File.ReadAllText(PathOf(file));
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(PathOf(file), text.Replace(old, @new, StringComparison.Ordinal));
    }

    /// <summary>Gives tensors other names; null leaves one out.</summary>
    public void Rename(Func<string, string?> name)
    {
        using var scope = torch.NewDisposeScope();
        KeyValuePair<string, torch.Tensor>[] tensors;
        using (var file = SafetensorsFile.Open(Weights))
        {
            tensors = [.. file.Entries.Keys.Where(key => name(key) is not null).Select(key => KeyValuePair.Create(name(key)!, file.Read(key)))];
        }

        SafetensorsWriter.Write(Weights, tensors);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
