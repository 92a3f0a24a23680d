using TorchSharp.PInvoke;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    public sealed partial class Tensor
    {
        public ScalarType dtype => (ScalarType)Info.ScalarType;
        public Device device => Info is var info && info.DeviceType == (int)DeviceType.CPU ? CPU : new((DeviceType)info.DeviceType, info.DeviceIndex);
        public DeviceType device_type => (DeviceType)Info.DeviceType;
        public long NumberOfElements => Info.Elements;
        public long ElementSize => Info.ElementSize;
        public long Dimensions => Info.Dimensions;
        public bool is_leaf => Info.IsLeaf != 0;

        /// <summary>The length of each dimension.</summary>
        public long[] shape => Sizes().Sizes;

        /// <summary>Whether operators on this tensor record for a backward pass.</summary>
        public bool requires_grad
        {
            get => Info.RequiresGrad != 0;
            set => NativeMethods.Check(NativeMethods.alt_tensor_set_requires_grad(Handle, value ? 1 : 0));
        }

        /// <summary>What the backward passes added up for this leaf, as a new reference to the same memory; null before the first.</summary>
        public Tensor? grad
        {
            get
            {
                var gradient = NativeMethods.alt_tensor_grad(Handle);
                GC.KeepAlive(this);
                return gradient == 0 ? null : new(gradient);
            }
            set
            {
                NativeMethods.Check(NativeMethods.alt_tensor_set_grad(Handle, value?.Handle ?? 0));
                GC.KeepAlive(value);
                GC.KeepAlive(this);
            }
        }

        /// <summary>The memory of a contiguous tensor on the processor, to read and to write. Valid as long as the tensor.</summary>
        /// <exception cref="NotImplementedException">The tensor is not contiguous (the exception is TorchSharp's).</exception>
        /// <exception cref="InvalidOperationException">The tensor is not in the processor's memory.</exception>
        public unsafe Span<byte> bytes
        {
            get
            {
                var info = Info;
                if (info.IsContiguous == 0)
                {
                    throw new NotImplementedException("Bytes() called on non-contiguous tensor.");
                }

                if (info.DeviceType != (int)DeviceType.CPU)
                {
                    throw new InvalidOperationException("Reading data from non-CPU memory is not supported. Move or copy the tensor to the cpu before reading.");
                }

                return new Span<byte>((void*)info.Data, checked((int)(info.Elements * info.ElementSize)));
            }
        }

        private TensorInfo Info
        {
            get
            {
                NativeMethods.Check(NativeMethods.alt_tensor_info(Handle, out var info));
                GC.KeepAlive(this);
                return info;
            }
        }

        public long numel() => NumberOfElements;
        public long dim() => Dimensions;
        public long size(int dim) => shape is var sizes && dim < 0 ? sizes[sizes.Length + dim] : sizes[dim];
        public long[] stride() => Sizes().Strides;
        public bool is_contiguous() => Info.IsContiguous != 0;

        /// <summary>The elements; those of a GPU's tensor are copied.</summary>
        /// <exception cref="ArgumentException">The tensor holds elements of another type.</exception>
        public TensorAccessor<T> data<T>()
            where T : unmanaged
        {
            var expected = dtype switch
            {
                ScalarType.Byte => typeof(byte),
                ScalarType.Int8 => typeof(sbyte),
                ScalarType.Int16 => typeof(short),
                ScalarType.Int32 => typeof(int),
                ScalarType.Int64 => typeof(long),
                ScalarType.Float32 => typeof(float),
                ScalarType.Float64 => typeof(double),
                ScalarType.Bool => typeof(bool),
                _ => null,
            };
            return typeof(T) == expected
                ? new(device_type == DeviceType.CPU ? this : cpu())
                : throw new ArgumentException($"{typeof(T).Name} is not compatible with {dtype}");
        }

        /// <summary>The value of a tensor of one element.</summary>
        /// <exception cref="ArgumentException">There is not exactly one element, or it is of another type.</exception>
        public T item<T>()
            where T : unmanaged
        {
            if (NumberOfElements != 1)
            {
                throw new ArgumentException("Number of elements in the tensor must be 1");
            }

            return data<T>()[0];
        }

        /// <summary>Adds to the gradient of every leaf what this tensor depends on.</summary>
        /// <param name="grad_tensors">This tensor's own gradient; null for a tensor of one element, whose gradient is 1.</param>
        public void backward(IList<Tensor>? grad_tensors = null)
        {
            var gradient = grad_tensors?.Single();
            NativeMethods.Check(NativeMethods.alt_backward(Handle, gradient?.Handle ?? 0, retainGraph: 0, createGraph: 0));
            GC.KeepAlive(gradient);
            GC.KeepAlive(this);
        }

        private unsafe (long[] Sizes, long[] Strides) Sizes()
        {
            var (sizes, strides) = (new long[Dimensions], new long[Dimensions]);
            fixed (long* sizesPointer = sizes, stridesPointer = strides)
            {
                NativeMethods.Check(NativeMethods.alt_tensor_sizes(Handle, sizesPointer, stridesPointer));
            }

            GC.KeepAlive(this);
            return (sizes, strides);
        }
    }
}
