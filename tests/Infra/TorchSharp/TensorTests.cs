using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Alt.Tests.Infra.TorchSharp;

public sealed class TensorTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void A_tensor_holds_what_it_was_made_of()
    {
        var x = tensor([1f, 2, 3, 4, 5, 6]).view(2, 3);
        Assert.Equal([2L, 3], x.shape);
        Assert.Equal([3L, 1], x.stride());
        Assert.Equal(float32, x.dtype);
        Assert.Equal([1f, 2, 3, 4, 5, 6], x.data<float>().ToArray());
        Assert.Equal([4L, 5, 6], x.select(0, 1).to(int64).data<long>().ToArray());
    }

    [Fact]
    public void Operators_take_tensors_numbers_lists_and_strings()
    {
        var x = tensor([1f, 2, 3, 4]).view(2, 2);
        Assert.Equal([7f, 10, 15, 22], x.matmul(x).data<float>().ToArray());
        Assert.Equal([2.5f, 4.5f, 6.5f, 8.5f], (x * 2 + 0.5).data<float>().ToArray());
        Assert.Equal([1f, 2, 1, 2, 3, 4, 3, 4], cat([x, x], dim: 1).data<float>().ToArray());
        Assert.Equal(0.841192f, nn.functional.gelu(ones([1]), global::TorchSharp.Modules.GELU.Approximate.tanh).item<float>(), 1e-5f);
        Assert.Equal([[1f, 2], [3f, 4]], x.split(1).Select(row => row.data<float>().ToArray()));
    }

    [Fact]
    public void In_place_operators_give_back_the_same_tensor()
    {
        var x = ones([3]);
        Assert.Same(x, x.add_(2).mul_(3));
        Assert.Equal([9f, 9, 9], x.data<float>().ToArray());
    }

    [Fact]
    public void A_backward_pass_gives_gradients_and_no_grad_records_none()
    {
        var x = tensor([1f, 2, 3], requires_grad: true);
        Assert.Null(x.grad);
        (x * x).sum().backward();
        Assert.Equal([2f, 4, 6], x.grad!.data<float>().ToArray());

        using (no_grad())
        {
            Assert.False((x * x).requires_grad);
        }

        Assert.True((x * x).requires_grad);
        x.grad = null;
        Assert.Null(x.grad);
    }

    [Fact]
    public void An_error_of_libtorch_is_an_exception_with_its_message()
    {
        var error = Assert.Throws<ExternalException>(() => ones([2, 3]).matmul(ones([2, 3])));
        Assert.Contains("shapes cannot be multiplied (2x3 and 2x3)", error.Message);
    }

    [Fact]
    public void A_disposed_tensor_refuses_work()
    {
        var x = ones([2]);
        x.Dispose();
        Assert.True(x.IsInvalid);
        Assert.Throws<InvalidOperationException>(() => x.add(1));
    }

    [Fact]
    public void Reading_elements_of_the_wrong_type_or_out_of_order_is_refused()
    {
        Assert.Throws<ArgumentException>(() => ones([2]).data<long>());
        Assert.Throws<NotImplementedException>(() => ones([2, 3]).t().data<float>().ToArray());
    }

    [Fact]
    public void A_scope_disposes_its_tensors_but_those_that_left_it()
    {
        torch.Tensor inner, outer, kept;
        using (NewDisposeScope())
        {
            using (NewDisposeScope())
            {
                inner = ones([1]);
                outer = ones([1]).MoveToOuterDisposeScope();
                kept = ones([1]).DetachFromDisposeScope();
            }

            Assert.True(inner.IsInvalid);
            Assert.False(outer.IsInvalid);
        }

        Assert.True(outer.IsInvalid);
        Assert.False(kept.IsInvalid);
        kept.Dispose();
    }

    [Fact]
    public void Long_lists_reach_the_operator_whole()
    {
        var parts = Enumerable.Range(0, 200).Select(i => full([1], i, float32)).ToArray();
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (float)i), cat(parts).data<float>());
    }
}
