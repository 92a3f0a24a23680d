using System.Security.Cryptography;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Model.Encoders;

/// <summary>
/// A trained model that reads whole texts and gives each a few numbers: a classifier's logits, or an embedding. Safe to use from several
/// threads.
/// </summary>
public abstract class SequenceModel : IDisposable
{
    // Also keeps two chunks of samples from taking the cores from each other.
    private readonly Lock _reading = new();

    private protected SequenceModel(string folder, SequenceTokenizer tokenizer, int positions, int vocabulary, Device device)
    {
        if (tokenizer.VocabularySize > vocabulary)
        {
            throw new InputException(
                $"{folder}: the tokenizer has {tokenizer.VocabularySize} tokens, the model {vocabulary}; expected the tokenizer that "
                + "the model was trained with");
        }

        (Tokenizer, Positions, Device) = (tokenizer, positions, device);
        Hash = HashOf(WeightFiles.In(folder).All);
        SettingsHash = HashOf(SettingsFiles.Select(name => Path.Combine(folder, name)).Where(File.Exists));
    }

    /// <summary>SHA-256 of the file of weights, or of the index and the shards one after another, in lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>SHA-256 of the config's and the tokenizer's files, in lower-case hexadecimal.</summary>
    public string SettingsHash { get; }

    /// <summary>The longest sequence in tokens.</summary>
    public int Positions { get; }

    /// <summary>Where the weights are.</summary>
    public Device Device { get; }

    internal SequenceTokenizer Tokenizer { get; }

    private static IEnumerable<string> SettingsFiles => [
        CheckpointConfig.FileName, "tokenizer.json", "tokenizer_config.json", "vocab.txt", "vocab.json", "merges.txt", "added_tokens.json"
    ];

    /// <summary>Reads the sequences in batches of about equal length, equal ones once.</summary>
    /// <param name="sequences">
    /// In any order: the batches, and so the last bit of a number, depend on which sequences there are and on nothing else.
    /// </param>
    /// <param name="progress">Gets the number of newly read sequences.</param>
    /// <returns>One row for each sequence, in their order; none is empty.</returns>
    /// <exception cref="OperationCanceledException">Between two batches.</exception>
    public IReadOnlyList<float[]> Read(
        IReadOnlyList<TokenSequence> sequences, int batchSize, IProgress<int>? progress, CancellationToken token)
    {
        var rows = new float[sequences.Count][];
        var distinct = sequences.Index().GroupBy(s => s.Item, s => s.Index).OrderBy(same => same.Key);
        foreach (var batch in distinct.Chunk(batchSize))
        {
            token.ThrowIfCancellationRequested();
            var values = Read(new SequenceBatch([.. batch.Select(same => same.Key)], Device));
            var width = values.Length / batch.Length;
            foreach (var (row, same) in batch.Index())
            {
                foreach (var i in same)
                {
                    rows[i] = values[(row * width)..((row + 1) * width)];
                }
            }

            progress?.Report(batch.Sum(same => same.Count()));
        }

        return rows;
    }

    public abstract void Dispose();

    /// <returns>(B, K)</returns>
    private protected abstract Tensor Compute(SequenceBatch batch);

    private float[] Read(SequenceBatch batch)
    {
        lock (_reading)
        {
            ModelThreads.Apply();
            using var gradients = no_grad();
            using var scope = NewDisposeScope();
            return Compute(batch).cpu().contiguous().data<float>().ToArray();
        }
    }

    private static string HashOf(IEnumerable<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        foreach (var file in files)
        {
            using var stream = File.OpenRead(file);
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                hash.AppendData(buffer, 0, read);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
