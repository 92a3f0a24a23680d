using Alt.Domain;
using Alt.Infra;

namespace Alt.Tests.Infra;

public sealed class RunConfigFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("alt-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Values_come_from_the_file_then_from_set_then_from_the_defaults()
    {
        var config = Read(
            "data:\n  grammar: grammar.yaml\ntraining:\n  steps: 7\n  learningRate: 1e-3\n", "training.steps=9",
            "feedback.encoding=special");
        Assert.Equal(9, config.Training.Steps);
        Assert.Equal(1e-3, config.Training.LearningRate);
        Assert.Equal(TagEncoding.Special, config.Feedback.Encoding);
        Assert.Equal(5, config.Feedback.Tags.Count);
    }

    [Fact]
    public void A_setting_changes_the_hash_and_is_named_among_the_differences()
    {
        var reject = new RunConfig { Selection = new() { Duplicates = DuplicateSamples.Reject } };

        Assert.NotEqual(AltJson.Hash(new RunConfig()), AltJson.Hash(reject));
        Assert.Equal(["selection.duplicates"], RunConfigFile.Differences(new RunConfig { Data = reject.Data }, reject));
    }

    [Fact]
    public void A_run_is_on_the_processor_unless_its_config_says_otherwise()
    {
        const string Yaml = "data:\n  grammar: g.yaml\n";
        Assert.Equal([RunDevice.Cpu, RunDevice.Cuda, RunDevice.Auto], [
            Read(Yaml).Device, Read(Yaml + "device: cuda\n").Device, Read(Yaml, "device=auto").Device
        ]);
        Refused(Yaml, "the value of 'device' has the wrong type or is not one of its words", "device=tpu");
    }

    [Fact]
    public void File_names_are_relative_to_the_config_and_in_set_to_the_current_folder()
    {
        var config = Read("data:\n  grammar: g.yaml\n  text: [a.txt, /b.txt]\n", "model.checkpoint=base");
        Assert.Equal(Path.Combine(_folder, "g.yaml"), config.Data.Grammar);
        Assert.Equal([Path.Combine(_folder, "a.txt"), "/b.txt"], config.Data.Text);
        Assert.Equal(Path.GetFullPath("base"), config.Model.Checkpoint);
    }

    [Fact]
    public void A_judges_checkpoints_are_relative_to_the_config_and_in_set_to_the_current_folder()
    {
        var config = Read(
            "data:\n  grammar: g.yaml\nfeedback:\n  judge:\n    kind: ensemble\n    members:\n      - judge: { kind: checkpoint, folder: "
            + "reward, label: good }\n      - judge: { kind: r3, encoder: /contriever }\n");
        Assert.Equal([Path.Combine(_folder, "reward"), "/contriever"], config.Feedback.Judge.Folders("").Select(f => f.Folder));
        var set = Read("data:\n  grammar: g.yaml\n", "feedback.judge={kind: checkpoint, folder: reward}");
        Assert.Equal([("feedback.judge.folder", Path.GetFullPath("reward"))], set.Feedback.Judge.Folders("feedback.judge"));
    }

    [Fact]
    public void An_unknown_key_is_refused_with_its_line_and_the_keys_that_exist() =>
        Refused(
            "data:\n  grammar: g.yaml\ntraining:\n  stepz: 7\n", ":4: unknown key 'training.stepz'; known here: accumulation, batchSize");

    [Fact]
    public void An_unknown_key_in_set_is_refused() =>
        Refused("data:\n  grammar: g.yaml\n", "unknown key 'training.stepz'", "training.stepz=1");

    [Fact]
    public void A_value_of_the_wrong_type_is_refused_with_its_line() =>
        Refused("data:\n  grammar: g.yaml\ntraining:\n  steps: many\n", ":4: the value of 'training.steps' has the wrong type");

    [Fact]
    public void A_value_out_of_range_is_refused() =>
        Refused("data:\n  grammar: g.yaml\n", "sampling.topP is 1.5, expected above 0 and at most 1", "sampling.topP=1.5");

    [Fact]
    public void Yaml_that_is_none_is_refused_with_its_line() => Refused("data:\n  - a\n b: c\n", "not valid YAML");

    [Fact]
    public void A_judges_settings_may_come_before_its_kind_and_its_question_from_a_file()
    {
        File.WriteAllText(Path.Combine(_folder, "question.txt"), "=== user\nIs this good? {response}\n");
        var config = Read(
            "data:\n  grammar: g.yaml\nfeedback:\n  tags: [good, bad]\n  judge:\n    model: judge\n    endpoint: http://localhost/v1\n    "
                + "template: question.txt\n    apiKey: file:judge.key\n    categories: ['yes', 'no']\n    kind: llm\n",
            "feedback.judge.calls.requestsPerMinute=60");
        var judge = Assert.IsType<JudgeConfig.LanguageModel>(config.Feedback.Judge);
        Assert.Equal("=== user\nIs this good? {response}\n", judge.Template);
        Assert.Equal(60, judge.Calls.RequestsPerMinute);
        Assert.Equal($"file:{Path.Combine(_folder, "judge.key")}", judge.ApiKey);

        // A recorded config has the question itself.
        Assert.Equal(
            judge.Template, ((JudgeConfig.LanguageModel)RunConfigFile.Change(config, ["training.steps=3"]).Feedback.Judge).Template);
    }

    [Fact]
    public void A_judge_that_is_none_is_refused()
    {
        Refused("data:\n  grammar: g.yaml\nfeedback:\n  judge:\n    kind: oracle\n", "needs a kind, one of rewardModel, ");
        Refused(
            "data:\n  grammar: g.yaml\nfeedback:\n  judge:\n    kind: llm\n    modle: judge\n",
            "unknown key 'feedback.judge.modle'; known here: apiKey, calls, categories, endpoint");
        Refused(
            "data:\n  grammar: g.yaml\nfeedback:\n  judge:\n    kind: ensemble\n    members:\n      - judge: { kind: rules, lst: [] }\n",
            "unknown key 'feedback.judge.members[0].judge.lst'; known here: list, otherwise");
        Refused(
            "data:\n  grammar: g.yaml\nfeedback:\n  judge:\n    kind: llm\n    template: missing.txt\n",
            "feedback.judge.template: no such file");
    }

    [Fact]
    public void A_set_without_a_value_is_refused() =>
        Refused("data:\n  grammar: g.yaml\n", "--set training.steps: expected key=value", "training.steps");

    [Fact]
    public void A_missing_file_is_refused() =>
        Assert.Contains(
            "no such file; expected a run's config",
            Assert.Throws<InputException>(() => RunConfigFile.Read(Path.Combine(_folder, "none.yaml"), [])).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("infra/experiments/quickstart.yaml")]
    [InlineData("infra/experiments/toxicity-small.yaml")]
    public void The_shipped_configs_are_valid(string path) =>
        Assert.NotEmpty(RunConfigFile.Read(Path.Combine(Repository.Root, path), []).Name);

    private RunConfig Read(string yaml, params string[] settings)
    {
        var path = Path.Combine(_folder, "run.yaml");
        File.WriteAllText(path, yaml);
        return RunConfigFile.Read(path, settings);
    }

    private void Refused(string yaml, string expected, params string[] settings)
    {
        var message = Assert.Throws<InputException>(() => Read(yaml, settings)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
