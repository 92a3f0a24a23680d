using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Model.Network;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class LanguageModelTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly LanguageModel _model = TinyModel.Create();

    public void Dispose()
    {
        _model.Dispose();
        _scope.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights()
    {
        using var same = TinyModel.Create();
        using var other = TinyModel.Create(seed: 2);
        Assert.Equal(_model.WeightsHash(), same.WeightsHash());
        Assert.NotEqual(_model.WeightsHash(), other.WeightsHash());
    }

    [Fact]
    public void New_weights_are_drawn_as_Hugging_Face_draws_them()
    {
        using var model = LanguageModel.Create(
            new DecoderConfig { Vocabulary = 400, Positions = 64, Width = 96, Layers = 8, Heads = 4, EndOfText = 0 }, 1);
        Assert.Equal(0.02, Deviation("transformer.wte.weight"), 0.0005);
        Assert.Equal(0.02, Deviation("transformer.h.0.attn.c_attn.weight"), 0.0005);
        Assert.Equal(0.02 / 4, Deviation("transformer.h.3.mlp.c_proj.weight"), 0.0005);
        Assert.Equal(0, Deviation("transformer.h.0.mlp.c_fc.bias"));
        Assert.Equal(1, model.Parameters["transformer.ln_f.weight"].mean().ToSingle());
        Assert.Equal(model.Config.Parameters, model.Parameters.Values.Sum(weight => weight.NumberOfElements));

        double Deviation(string name) => model.Parameters[name].square().mean().sqrt().ToDouble();
    }

    [Fact]
    public void Padding_changes_nothing()
    {
        using var gradients = no_grad();
        var alone = _model.Hidden(tensor([1L, 2, 3]).view(1, 3));
        var padded = _model.Hidden(tensor([1L, 2, 3, 0, 0, 9, 8, 7, 6, 5]).view(2, 5)).narrow(0, 0, 3);
        Assert.InRange((alone - padded).abs().max().ToSingle(), 0, 1e-5f);
    }

    [Fact]
    public void A_saved_model_loads_as_it_was()
    {
        _model.Save(_folder.FullName);
        using var loaded = LanguageModel.Load(_folder.FullName);
        Assert.Equal(_model.Config, loaded.Config with { Source = null, OtherEnds = [] });
        Assert.Equal(_model.WeightsHash(), loaded.WeightsHash());
    }

    [Fact]
    public void The_saved_config_says_what_transformers_needs()
    {
        _model.Save(_folder.FullName);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_folder.FullName, "config.json")))!;
        Assert.Equal("gpt2", (string?)config["model_type"]);
        Assert.Equal("GPT2LMHeadModel", (string?)config["architectures"]![0]);
        Assert.Equal("gelu_new", (string?)config["activation_function"]);
        Assert.Equal(30, (int?)config["vocab_size"]);
        Assert.Equal(20, (int?)config["n_embd"]);
        Assert.Equal(2, (int?)config["n_layer"]);
        Assert.Equal(2, (int?)config["n_head"]);
        Assert.Equal(24, (int?)config["n_positions"]);
        Assert.Equal(29, (int?)config["eos_token_id"]);
        Assert.True((bool?)config["tie_word_embeddings"]);
    }

    [Fact]
    public void A_checkpoint_of_another_shape_is_refused_with_both_shapes()
    {
        _model.Save(_folder.FullName);
        (TinyModel.Config with { Vocabulary = 31 }).Save(_folder.FullName);
        var error = Assert.Throws<InputException>(() => LanguageModel.Load(_folder.FullName));
        Assert.EndsWith("model.safetensors: transformer.wte.weight has shape [30, 20], expected [31, 20] by config.json", error.Message);

        (TinyModel.Config with { Layers = 3 }).Save(_folder.FullName);
        Assert.Contains(
            "has no tensor transformer.h.2.ln_1.weight", Assert.Throws<InputException>(() => LanguageModel.Load(_folder.FullName)).Message);
    }

    [Theory]
    [InlineData("""{"model_type":"bert"}""", "model_type is bert, expected gpt2 or gptj or gpt_neox or llama or qwen2")]
    [InlineData("""{"model_type":"llama","hidden_act":"silu"}""", "vocab_size is missing")]
    [InlineData("""{"n_layer":"twelve"}""", "n_layer is \"twelve\", expected an integer")]
    [InlineData("""{"scale_attn_by_inverse_layer_idx":true}""", "scale_attn_by_inverse_layer_idx is true, expected false")]
    [InlineData("""{"activation_function":"relu"}""", "activation_function is relu, expected gelu_new")]
    [InlineData("""{"n_embd":10,"n_head":3}""", "n_embd 10 is not a multiple of n_head 3")]
    [InlineData("""{"n_layer":0}""", "n_layer is 0")]
    [InlineData("[]", "is not a valid config")]
    [InlineData("{", "is not a valid config")]
    public void A_config_that_cannot_be_used_is_refused(string config, string expected)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "config.json"), config);
        Assert.Contains(expected, Assert.Throws<InputException>(() => LanguageModel.Load(_folder.FullName)).Message);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        Assert.Contains("config.json does not exist", Assert.Throws<InputException>(() => LanguageModel.Load(_folder.FullName)).Message);
        TinyModel.Config.Save(_folder.FullName);
        Assert.Contains(
            "model.safetensors does not exist", Assert.Throws<InputException>(() => LanguageModel.Load(_folder.FullName)).Message);
    }

    [Fact]
    public void Added_tokens_leave_the_others_logits_alone()
    {
        using var gradients = no_grad();
        using var larger = _model.AddTokens(30, 33, NewTokens.CopyEndOfText, seed: 1);
        var ids = tensor([1L, 2, 3]).view(1, 3);
        var (before, after) = (_model.Logits(_model.Hidden(ids)), larger.Logits(larger.Hidden(ids)));
        Assert.Equal(33, larger.Config.Vocabulary);
        Assert.InRange((after.narrow(1, 0, 30) - before).abs().max().ToSingle(), 0, 1e-5f);
        Assert.InRange((after.narrow(1, 30, 3) - before.narrow(1, TinyModel.EndOfText, 1)).abs().max().ToSingle(), 0, 1e-5f);
    }

    [Fact]
    public void Added_tokens_can_start_with_the_mean_and_deviation_of_the_others()
    {
        using var larger = _model.AddTokens(30, 30 + 4000, NewTokens.Normal, seed: 1);
        using var same = _model.AddTokens(30, 30 + 4000, NewTokens.Normal, seed: 1);
        Assert.Equal(larger.WeightsHash(), same.WeightsHash());
        var old = _model.Parameters["transformer.wte.weight"];
        var added = larger.Parameters["transformer.wte.weight"].narrow(0, 30, 4000);
        Assert.InRange((Mean(added) - Mean(old)).abs().max().ToSingle(), 0, 0.03f);
        Assert.InRange((Deviation(added) - Deviation(old)).abs().max().ToSingle(), 0, 0.03f);

        static Tensor Mean(Tensor rows) => rows.sum(dim: 0) / rows.shape[0];
        static Tensor Deviation(Tensor rows) => ((rows - Mean(rows)).square().sum(dim: 0) / rows.shape[0]).sqrt();
    }
}
