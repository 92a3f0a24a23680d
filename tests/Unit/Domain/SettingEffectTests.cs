using System.Text.Json;
using Alt.Domain;

namespace Alt.Tests.Domain;

public class SettingEffectTests
{
    [Fact]
    public void Every_setting_of_a_run_has_an_effect()
    {
        var keys = Keys(typeof(RunConfig), "").ToArray();

        Assert.Contains("model.pretraining.steps", keys);
        Assert.All(keys, key => SettingEffect.Of(key));
    }

    [Theory]
    [InlineData("training.steps", Stage.Training, null)]
    [InlineData("training.tagEmbeddingScale", Stage.Training, 1)]
    [InlineData("selection.duplicates", Stage.Selection, null)]
    [InlineData("sampling.topP", Stage.Sampling, null)]
    [InlineData("rewardModel.l2", Stage.Feedback, null)]
    [InlineData("rewardModel.comments", null, -1)]
    [InlineData("evaluation.judge.l2", Stage.Evaluation, null)]
    [InlineData("device", Stage.Sampling, null)]
    [InlineData("seed", null, -1)]
    [InlineData("name", null, null)]
    public void The_most_exact_rule_counts(string key, Stage? stage, int? latest) =>
        Assert.Equal(new SettingEffect(stage, latest), SettingEffect.Of(key));

    [Theory]
    [InlineData("trainings")]
    [InlineData("nameless")]
    public void What_is_no_setting_has_none(string key) => Assert.Throws<KeyNotFoundException>(() => SettingEffect.Of(key));

    private static IEnumerable<string> Keys(Type type, string prefix) => type.GetProperties().Where(p => p.CanWrite).SelectMany(property =>
    {
        var key = prefix + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
        return property.PropertyType.Name.EndsWith("Config", StringComparison.Ordinal) ? Keys(property.PropertyType, key + ".") : [key];
    });
}
