using System.Text.Json;
using System.Text.Json.Serialization;
using Alt.Domain;
using Alt.Model.Checkpoints;
using Alt.Model.Network;

namespace Alt.Model.Training;

public sealed partial class Trainer
{
    private const string OptimiserFileName = "optimizer.safetensors";
    private const string StateFileName = "trainer.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase
    };

    /// <summary>
    /// Writes weights, optimiser and step into one folder, which transformers can load as a model too. The folder appears whole or not at
    /// all.
    /// </summary>
    /// <param name="folder">Where the checkpoint will be; an older one there is replaced.</param>
    /// <param name="largestFile">How many bytes of weights one file holds at most.</param>
    public void Save(string folder, long largestFile = long.MaxValue)
    {
        var partial = folder.TrimEnd(Path.DirectorySeparatorChar) + ".partial";
        Delete(partial);
        _policy.Save(partial, largestFile);
        _weights.SaveAdapters(partial, ended: Step >= _options.Steps);
        SafetensorsWriter.Write(Path.Combine(partial, OptimiserFileName), _adam.State);
        var state = new State(Step, _adam.Updates, _options) { LossScale = _scale == LossScale.Off ? null : _scale };
        File.WriteAllText(Path.Combine(partial, StateFileName), JsonSerializer.Serialize(state, Json) + "\n");
        Delete(folder);
        Directory.Move(partial, folder);
    }

    /// <summary>Takes a training up where <see cref="Save"/> left it.</summary>
    /// <param name="folder">What Save wrote; it is the policy's to be loaded from too.</param>
    /// <param name="policy">The model that was loaded from the folder.</param>
    /// <exception cref="InputException">The folder is no checkpoint, or it was made with other options.</exception>
    public static Trainer Resume(
        string folder, LanguageModel policy, LanguageModel? reference, IReadOnlyList<TrainingExample> examples, TrainerOptions options,
        int? known = null)
    {
        var state = ReadState(folder);
        if (JsonSerializer.Serialize(state.Options, Json) != JsonSerializer.Serialize(options, Json))
        {
            throw new InputException($"{folder} was made with other training options: remove it to train from the start");
        }

        var trainer = new Trainer(policy, reference, examples, options, known) { Step = state.Step };
        trainer._scale = state.LossScale ?? trainer._scale;
        trainer.RestoreOptimiser(folder, state);
        return trainer;
    }

    /// <summary>
    /// Takes over the optimiser's state of an earlier training of the same model, and its adapters, but neither its step nor its schedule.
    /// </summary>
    /// <exception cref="InputException">The folder is no checkpoint.</exception>
    public void RestoreOptimiser(string folder) => RestoreOptimiser(folder, ReadState(folder));

    private void RestoreOptimiser(string folder, State state)
    {
        _weights.RestoreAdapters(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, OptimiserFileName));
        _adam.Restore(file, _weights.Masters, state.Updates);
    }

    private static State ReadState(string folder)
    {
        var path = Path.Combine(folder, StateFileName);
        if (!File.Exists(path))
        {
            throw new InputException($"{path} does not exist, expected the state of a training");
        }

        try
        {
            return JsonSerializer.Deserialize<State>(File.ReadAllBytes(path), Json) ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            throw new InputException($"{path} is not the state of a training: {e.Message}", e);
        }
    }

    private static void Delete(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record State(int Step, int Updates, TrainerOptions Options)
    {
        [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
        public LossScale? LossScale { get; init; }
    }
}
