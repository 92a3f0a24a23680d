using Alt.Domain;
using Alt.Model.Decoding;
using Alt.Model.Network;
using Alt.Model.Products;
using Alt.Model.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Model;

public sealed class DecoderTests
{
    public static TheoryData<string> Architectures => [.. DecoderReference.Names];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Kernels_and_operators_give_the_logits_of_a_full_pass(string name)
    {
        using var scope = NewDisposeScope();
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name));
        using var packed = new PackedDecoder(model, slots: 3, positions: 30);
        using var tensors = new TensorDecoder(model, slots: 3, positions: 30);
        // One input twice, so that a prefix is shared; 19 tokens, so that a block is full and the next is not.
        var inputs = new[] { Tokens(0, 19), Tokens(1, 4) };
        var sequences = new List<int>[] { [.. inputs[0]], [.. inputs[1]], [.. inputs[0]] };
        Compare(decoder => decoder.Read(inputs, [(2, 0), (0, 1), (1, 0)]));
        for (var step = 0; step < 5; step++)
        {
            int[] tokens = [7 + step, 11 + step, 13 + step];
            (int Slot, int Position)[] places = [(2, sequences[0].Count), (0, sequences[1].Count), (1, sequences[2].Count)];
            for (var i = 0; i < 3; i++)
            {
                sequences[i].Add(tokens[i]);
            }

            Compare(decoder => decoder.Step(tokens, places));
        }

        void Compare(Action<IDecoder> read)
        {
            using var gradients = no_grad();
            foreach (var decoder in new IDecoder[] { packed, tensors })
            {
                read(decoder);
                var rows = LogitsOf(decoder, 3);
                for (var i = 0; i < 3; i++)
                {
                    var ids = tensor([.. sequences[i].Select(id => (long)id)]).view(1, -1);
                    var expected = model.Logits(model.Hidden(ids).narrow(0, ids.shape[1] - 1, 1)).view(-1);
                    Assert.InRange((tensor(rows[i]) - expected).abs().max().ToSingle(), 0, 1e-4f);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Weights_in_bfloat16_give_logits_within_a_fiftieth_of_the_largest(string name)
    {
        using var scope = NewDisposeScope();
        using var reference = new DecoderReference(name);
        using var model = LanguageModel.Load(DecoderReference.FolderOf(name), type: bfloat16);
        using var decoder = new PackedDecoder(model, slots: 1, positions: 30);
        var (prompt, response) = reference.Rows[0];
        decoder.Read([prompt], [(0, 0)]);
        var logits = reference["logits"].select(0, 0);                  // (T, V)
        Assert.InRange(
            (tensor(LogitsOf(decoder, 1)[0]) - logits.select(0, prompt.Length - 1)).abs().max().ToDouble() / reference.Values.LargestLogit,
            0, 2e-2);
        decoder.Step([response[0]], [(0, prompt.Length)]);
        Assert.InRange(
            (tensor(LogitsOf(decoder, 1)[0]) - logits.select(0, prompt.Length)).abs().max().ToDouble() / reference.Values.LargestLogit, 0,
            2e-2);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    public void The_number_of_threads_changes_no_bit(int threads)
    {
        using var model = TinyModel.Create();
        var jobs = TinyModel.Jobs();
        var options = new SamplingOptions { TopP = 0.9, MaxNewTokens = 15 };
        var alone = Sample(1);
        Assert.All(alone.Zip(Sample(threads)), pair =>
        {
            Assert.Equal(pair.First.Tokens, pair.Second.Tokens);
            Assert.Equal(pair.First.LogProbs, pair.Second.LogProbs);
        });

        IReadOnlyList<Generation> Sample(int count)
        {
            using var decoder = new PackedDecoder(model, slots: 6, positions: 20, count);
            return new Sampler(model, options, 6).Sample(jobs, decoder);
        }
    }

    [Fact]
    public void An_input_longer_than_a_pass_is_read_as_one()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var model = LanguageModel.Create(TinyModel.Config with { Positions = 1_200 }, seed: 1);
        using var decoder = new PackedDecoder(model, slots: 2, positions: 1_200);
        var inputs = new[] { Tokens(0, 1_100, 29), Tokens(1, 30, 29) };
        decoder.Read(inputs, [(0, 0), (1, 1)]);
        foreach (var (row, input) in inputs.Index())
        {
            var expected = model.Logits(model.Hidden(tensor([.. input.Select(id => (long)id)]).view(1, -1)).narrow(0, input.Length - 1, 1))
                .view(-1);
            Assert.InRange((tensor(LogitsOf(decoder, 2)[row]) - expected).abs().max().ToSingle(), 0, 1e-4f);
        }
    }

    [Fact]
    public void A_step_allocates_no_more_for_a_large_batch_than_a_fixed_amount()
    {
        using var model = TinyModel.Create();
        var sampler = new Sampler(model, new SamplingOptions { TopP = 0.9, MinNewTokens = 20, MaxNewTokens = 20 }, batchSize: 64);
        var jobs = TinyModel.Jobs(prompts: 4, generations: 16);
        var allocated = new long[jobs.Length * 20 + 1];
        sampler.Sample(jobs, drawn => allocated[drawn] = GC.GetAllocatedBytesForCurrentThread());
        // From the second token of each of the 64 sequences to their tenth: none of them needs a new block of the cache meanwhile.
        Assert.InRange(allocated[10 * 64] - allocated[2 * 64], 0, 8 * 256);
    }

    [Fact]
    public void A_failure_on_any_thread_reaches_the_caller_and_the_team_works_on()
    {
        using var team = new WorkerTeam(4);
        for (var round = 0; round < 50; round++)
        {
            var failing = round % 4;
            var error = Assert.Throws<InvalidOperationException>(() => team.Run(worker =>
            {
                if (worker == failing)
                {
                    throw new InvalidOperationException("round " + round);
                }

                team.Sync();
            }));
            Assert.Equal("round " + round, error.Message);

            var done = new int[1_000];
            team.Run(_ =>
            {
                for (var part = 0; part < 3; part++)
                {
                    while (team.Take(done.Length, out var piece))
                    {
                        Interlocked.Increment(ref done[piece]);
                    }

                    team.Sync();
                }
            });
            Assert.All(done, count => Assert.Equal(3, count));
        }
    }

    [Fact]
    public unsafe void Narrow_vectors_give_the_bits_of_wide_ones()
    {
        using var scope = NewDisposeScope();
        const int inputs = 37;
        var (panel, rows) = (Normal(inputs * Tiles.Width, 1), Normal(Tiles.Height * inputs, 2));
        var (wide, narrow) = (zeros([Tiles.Height, Tiles.Width]), zeros([Tiles.Height, Tiles.Width]));
        var x = (float*)RowsOf(rows).Start;
        var columns = (float*)RowsOf(panel).Start;
        Tiles.Multiply(x, inputs, 1, Tiles.Height, columns, inputs, RowsOf(wide)[0], Tiles.Width, Tiles.Width, add: false);
        for (var row = 0; row < Tiles.Height; row += 4)
        {
            for (var column = 0; column < Tiles.Width; column += 24)
            {
                Tiles.Multiply256(
                    x + row * inputs, inputs, 1, 4, columns + column, inputs, RowsOf(narrow)[row] + column, Tiles.Width, add: false);
            }
        }

        Assert.True(wide.abs().sum().ToSingle() > 0);
        Assert.Equal(wide.bytes, narrow.bytes);
    }

    [Fact]
    public void Rounding_to_bfloat16_is_libtorchs()
    {
        using var scope = NewDisposeScope();
        var x = Normal(1_000, 1) * 1_000;
        var (halves, back) = (new ushort[1_000], new float[1_000]);
        RowKernels.Narrow(x.data<float>().ToArray(), halves);
        RowKernels.Widen(halves, back);
        Assert.Equal(x.to(bfloat16).to(float32).data<float>().ToArray(), back);
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 5e-3)]
    public void A_matrix_multiplies_as_libtorch_does(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        const int inputs = 50, outputs = 131, count = 13;
        var (weight, bias) = (Normal(outputs * inputs, 3).view(outputs, inputs).to(type), Normal(outputs, 4));
        var x = Normal(16 * inputs, 5).view(16, inputs);
        var result = zeros([16, outputs]);
        using var team = new WorkerTeam(3);
        using var packed = DecodingMatrix.Of(weight, bias);
        for (var time = 0; time < 2; time++)
        {
            team.Run(_ => packed.Multiply(team, RowsOf(x), count, RowsOf(result), time == 0 ? Epilogue.Store : Epilogue.Add));
        }

        var expected = 2 * (x.matmul(weight.to(float32).t()) + bias);
        Assert.InRange((result - expected).narrow(0, 0, count).abs().max().ToDouble(), 0, tolerance * inputs);
        Assert.Equal(0, result.narrow(0, count, 16 - count).abs().sum().ToDouble());
    }

    [Fact]
    public void Activations_are_libtorchs()
    {
        using var scope = NewDisposeScope();
        var x = arange(2_000, dtype: float32) / 100 - 10;
        var (tanh, exact, gate) = (new float[2_000], new float[2_000], x.data<float>().ToArray());
        for (var i = 0; i < 2_000; i += 16)
        {
            var values = System.Runtime.Intrinsics.Vector512.Create(gate.AsSpan(i, 16));
            System.Runtime.Intrinsics.Vector512.CopyTo(VectorMath.GeluTanh(values), tanh, i);
            System.Runtime.Intrinsics.Vector512.CopyTo(VectorMath.Gelu(values), exact, i);
        }

        RowKernels.Gate(gate, x.data<float>().ToArray());
        Assert.InRange((tensor(tanh) - nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh)).abs().max().ToSingle(), 0, 2e-6f);
        Assert.InRange((tensor(exact) - nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.none)).abs().max().ToSingle(), 0, 2e-6f);
        Assert.InRange((tensor(gate) - nn.functional.silu(x) * x).abs().max().ToSingle(), 0, 2e-5f);
    }

    private static int[] Tokens(int row, int count, int vocabulary = 90) =>
        [.. Enumerable.Range(0, count).Select(t => 3 + Philox.Integer(new RandomKey(1, 0, Stage.Sampling, row), (uint)t, vocabulary - 3))];

    private static Tensor Normal(int count, int seed)
    {
        var values = new float[count];
        Philox.FillNormal(new RandomKey(seed, 0, Stage.Training), values);
        return tensor(values);
    }

    private static Rows RowsOf(Tensor tensor) => Rows.Of(tensor);

    private static float[][] LogitsOf(IDecoder decoder, int count)
    {
        var rows = new float[count][];
        decoder.ForEach((row, _, logits) => rows[row] = logits.ToArray());
        return rows;
    }
}
