using Alt.Model.Encoders;
using Alt.Model.Network;

namespace Alt.Tests.Model;

public sealed class ConfigFuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("alt-fuzz-").FullName;

    private string ConfigFile => Path.Combine(_folder, "config.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Mutations_are_the_same_for_the_same_seed()
    {
        byte[] file = [.. Enumerable.Range(0, 500).Select(i => (byte)i)];
        for (var seed = 0; seed < 200; seed++)
        {
            Assert.Equal(Mutations.Of(file, seed), Mutations.Of(file, seed));
            Assert.True(Mutations.Of([], seed).Length <= 1 << 16);
        }

        Assert.True(Enumerable.Range(0, 200).Count(seed => !Mutations.Of(file, seed).SequenceEqual(file)) > 180);
    }

    [Theory]
    [InlineData("gpt2")]
    [InlineData("gptj")]
    [InlineData("gpt-neox")]
    [InlineData("llama-3/older")]
    [InlineData("qwen2")]
    public void A_mutated_config_of_a_language_model_loads_or_is_refused_with_one_line(string name)
    {
        File.Copy(Path.Combine(DecoderReference.FolderOf(name), "config.json"), ConfigFile);
        var (loaded, refused) = new MutatedFile(ConfigFile).LoadAll(1_000, () => DecoderConfig.Load(_folder));
        Assert.True(loaded > 100 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }

    [Theory]
    [InlineData("bert")]
    [InlineData("roberta")]
    public void A_mutated_config_of_an_encoder_loads_or_is_refused_with_one_line(string family)
    {
        File.Copy(Repository.PathOf("tests", "Golden", "encoders", family, "config.json"), ConfigFile);
        var (loaded, refused) = new MutatedFile(ConfigFile).LoadAll(1_250, () => EncoderConfig.Load(_folder));
        Assert.True(loaded > 100 && refused > 100, $"{loaded} loaded, {refused} refused.");
    }
}
