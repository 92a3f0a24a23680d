using Alt.Domain;

namespace Alt.Tests.Domain;

public class TrainingConfigTests
{
    [Fact]
    public void What_cannot_be_trained_is_a_problem_of_its_setting()
    {
        Assert.Equal("training.freezeLayers is -1, expected 0 or more", Problem(new TrainingConfig { FreezeLayers = -1 }));
        Assert.Equal("training.freezeLayers is 9, expected at most model.layers, 4", Problem(new TrainingConfig { FreezeLayers = 9 }));
        Assert.Equal(
            "training.lora.rank is 0 and training.lora.alpha 16, expected more than 0",
            Problem(new TrainingConfig { Lora = new LoraConfig { Rank = 0, Targets = ["c_attn"] } }));
        Assert.StartsWith("training.lora.targets needs at least one", Problem(new TrainingConfig { Lora = new LoraConfig() }));
    }

    private static string Problem(TrainingConfig training) =>
        Assert.Single(new RunConfig { Model = new ModelConfig { Layers = 4 }, Training = training }.Problems(), problem =>
            problem.StartsWith("training.", StringComparison.Ordinal));
}
