using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Encoders;
using Alt.Model.Network;
using static TorchSharp.torch;

namespace Alt.Activities.Feedback;

/// <summary>The reward models and encoders from checkpoint folders that a worker keeps in memory, each loaded once.</summary>
public sealed class Checkpoints : IDisposable
{
    private readonly Lock _loading = new();
    private readonly Dictionary<(Type Kind, string Folder, RunDevice Device), SequenceModel> _loaded = [];

    /// <exception cref="InputException">
    /// The folder holds no classifier or reward model that can be computed here, or the device is not available.
    /// </exception>
    public SequenceClassifier Classifier(string folder, RunDevice device) => Load(folder, device, SequenceClassifier.Load);

    /// <exception cref="InputException">The folder holds no encoder that can be computed here, or the device is not available.</exception>
    public TextEmbedder Embedder(string folder, RunDevice device) => Load(folder, device, TextEmbedder.Load);

    /// <param name="inputs">The SHA-256 of files by their path, as a run recorded them.</param>
    /// <exception cref="InputException">A loaded model is another one than the run began with.</exception>
    public void RequireUnchanged(IReadOnlyDictionary<string, string> inputs)
    {
        lock (_loading)
        {
            foreach (var ((_, folder, _), model) in _loaded)
            {
                if (WeightFiles.Candidates(folder).FirstOrDefault(inputs.ContainsKey) is { } weights && inputs[weights] != model.Hash)
                {
                    throw new InputException(
                        $"'{weights}' is not the file that the run began with; put that one back and restart the "
                        + "worker, or start another run");
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var model in _loaded.Values)
        {
            model.Dispose();
        }
    }

    // A failed load is tried again the next time: the folder may have been repaired.
    private T Load<T>(string folder, RunDevice device, Func<string, Device?, T> load)
        where T : SequenceModel
    {
        lock (_loading)
        {
            if (!_loaded.TryGetValue((typeof(T), folder, device), out var model))
            {
                _loaded[(typeof(T), folder, device)] = model = load(folder, ModelDevice.Of(device));
            }

            return (T)model;
        }
    }
}
