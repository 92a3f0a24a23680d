using static TorchSharp.PInvoke.Operator;

namespace TorchSharp;

public static partial class torch
{
    // Names, parameters and meaning are TorchSharp's, which are PyTorch's: see https://pytorch.org/docs/stable/tensors.html.
    public sealed partial class Tensor
    {
        public static Tensor operator +(Tensor left, Tensor right) => left.add(right);
        public static Tensor operator +(Tensor left, Scalar right) => left.add(right);
        public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);
        public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);
        public static Tensor operator -(Tensor tensor) => tensor.neg();
        public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);
        public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);
        public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);
        public static Tensor operator /(Tensor left, Tensor right) => left.div(right);
        public static Tensor operator /(Tensor left, Scalar right) => left.div(right);

        public Tensor add(Tensor target) => Call("aten::add.Tensor", this, target);
        public Tensor add(Scalar scalar) => Call("aten::add.Scalar", this, scalar);
        public Tensor sub(Tensor target) => Call("aten::sub.Tensor", this, target);
        public Tensor sub(Scalar scalar) => Call("aten::sub.Scalar", this, scalar);
        public Tensor mul(Tensor target) => Call("aten::mul.Tensor", this, target);
        public Tensor mul(Scalar scalar) => Call("aten::mul.Scalar", this, scalar);
        public Tensor div(Tensor target) => Call("aten::div.Tensor", this, target);
        public Tensor div(Scalar scalar) => Call("aten::div.Scalar", this, scalar);
        public Tensor neg() => Call("aten::neg", this);
        public Tensor abs() => Call("aten::abs", this);
        public Tensor exp() => Call("aten::exp", this);
        public Tensor log() => Call("aten::log", this);
        public Tensor sqrt() => Call("aten::sqrt", this);
        public Tensor rsqrt() => Call("aten::rsqrt", this);
        public Tensor cos() => Call("aten::cos", this);
        public Tensor sin() => Call("aten::sin", this);
        public Tensor square() => Call("aten::square", this);
        public Tensor tanh() => Call("aten::tanh", this);
        public Tensor pow(Scalar exponent) => Call("aten::pow.Tensor_Scalar", this, exponent);

        public Tensor add_(Tensor target) => CallInPlace("aten::add_.Tensor", this, target);
        public Tensor add_(Tensor target, Scalar alpha) => CallInPlace("aten::add_.Tensor", this, target, alpha);
        public Tensor add_(Scalar scalar) => CallInPlace("aten::add_.Scalar", this, scalar);
        public Tensor sub_(Tensor target) => CallInPlace("aten::sub_.Tensor", this, target);
        public Tensor mul_(Tensor target) => CallInPlace("aten::mul_.Tensor", this, target);
        public Tensor mul_(Scalar scalar) => CallInPlace("aten::mul_.Scalar", this, scalar);
        public Tensor div_(Scalar scalar) => CallInPlace("aten::div_.Scalar", this, scalar);
        public Tensor exp_() => CallInPlace("aten::exp_", this);
        public Tensor sqrt_() => CallInPlace("aten::sqrt_", this);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => CallInPlace("aten::addcmul_", this, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => CallInPlace("aten::addcdiv_", this, tensor1, tensor2, value);
        public Tensor zero_() => CallInPlace("aten::zero_", this);
        public Tensor fill_(Scalar value) => CallInPlace("aten::fill_.Scalar", this, value);
        public Tensor copy_(Tensor source) => CallInPlace("aten::copy_", this, source);
        public Tensor masked_fill_(Tensor mask, Scalar value) => CallInPlace("aten::masked_fill_.Scalar", this, mask, value);

        public Tensor matmul(Tensor target) => Call("aten::matmul", this, target);
        public Tensor mm(Tensor target) => Call("aten::mm", this, target);
        public Tensor addmm_(Tensor mat1, Tensor mat2) => CallInPlace("aten::addmm_", this, mat1, mat2);
        public Tensor bmm(Tensor batch2) => Call("aten::bmm", this, batch2);

        public Tensor sum() => Call("aten::sum", this);
        public Tensor sum(long dim, bool keepdim = false) => Call("aten::sum.dim_IntList", this, new[] { dim }, keepdim);
        public Tensor mean() => Call("aten::mean", this);
        public Tensor mean(long[] dimensions, bool keepdim = false) => Call("aten::mean.dim", this, dimensions, keepdim);
        public Tensor max() => Call("aten::max", this);
        public Tensor min() => Call("aten::min", this);
        public Tensor norm() => Call("aten::norm.Scalar", this, 2.0);
        public Tensor argmax(long dim, bool keepdim = false) => Call("aten::argmax", this, dim, keepdim);
        public Tensor cumsum(long dim) => Call("aten::cumsum", this, dim);
        public Tensor logsumexp(long dim, bool keepdim = false) => Call("aten::logsumexp", this, new[] { dim }, keepdim);
        public Tensor softmax(long dim) => Call("aten::softmax.int", this, dim);
        public Tensor log_softmax(long dim) => Call("aten::log_softmax.int", this, dim);

        public Tensor eq(Tensor target) => Call("aten::eq.Tensor", this, target);
        public Tensor eq(Scalar target) => Call("aten::eq.Scalar", this, target);
        public Tensor gt(Tensor target) => Call("aten::gt.Tensor", this, target);
        public Tensor isfinite() => Call("aten::isfinite", this);
        public Tensor all() => Call("aten::all", this);
        public Tensor any() => Call("aten::any", this);
        public Tensor masked_fill(Tensor mask, Scalar value) => Call("aten::masked_fill.Scalar", this, mask, value);
        public Tensor tril(long diagonal = 0) => Call("aten::tril", this, diagonal);
        public Tensor triu(long diagonal = 0) => Call("aten::triu", this, diagonal);

        public Tensor view(params long[] shape) => Call("aten::view", this, shape);
        public Tensor reshape(params long[] shape) => Call("aten::reshape", this, shape);
        public Tensor permute(params long[] permutation) => Call("aten::permute", this, permutation);
        public Tensor expand(params long[] sizes) => Call("aten::expand", this, sizes);
        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0) => Call("aten::as_strided", this, size, strides, storageOffset);
        public Tensor transpose(long dim0, long dim1) => Call("aten::transpose.int", this, dim0, dim1);
        public Tensor t() => Call("aten::t", this);
        public Tensor unsqueeze(long dim) => Call("aten::unsqueeze", this, dim);
        public Tensor squeeze(long dim) => Call("aten::squeeze.dim", this, dim);
        public Tensor select(long dim, long index) => Call("aten::select.int", this, dim, index);
        public Tensor narrow(long dimension, long start, long length) => Call("aten::narrow", this, dimension, start, length);
        public Tensor slice(long dim, long start, long finish, long step) => Call("aten::slice.Tensor", this, dim, start, finish, step);
        public Tensor[] split(long size, long dim = 0) => CallMany("aten::split.Tensor", this, size, dim);
        public Tensor[] chunk(long chunks, long dim = 0) => CallMany("aten::chunk", this, chunks, dim);
        public Tensor contiguous() => Call("aten::contiguous", this);
        public Tensor clone() => Call("aten::clone", this);
        public Tensor detach() => Call("aten::detach", this);
        public Tensor alias() => Call("aten::alias", this);

        public Tensor index_select(long dim, Tensor index) => Call("aten::index_select", this, dim, index);
        public Tensor index_copy_(long dim, Tensor index, Tensor source) => CallInPlace("aten::index_copy_", this, dim, index, source);
        public Tensor gather(long dim, Tensor index) => Call("aten::gather", this, dim, index);
        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) => CallInPlace("aten::index_add_", this, dim, index, source, alpha);

        public Tensor scatter_add_(long dim, Tensor index, Tensor src) => CallInPlace("aten::scatter_add_", this, dim, index, src);

        public Tensor to(ScalarType type) => Call("aten::to.dtype", this, type);
        public Tensor to(Device device) => Call("aten::to.device", this, device, dtype);
        public Tensor cpu() => to(CPU);
    }
}
