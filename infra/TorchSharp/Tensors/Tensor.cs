using TorchSharp.PInvoke;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A tensor of libtorch. Dispose it, or make it inside a <see cref="NewDisposeScope"/>.</summary>
    public sealed partial class Tensor : IDisposable
    {
        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            DisposeScope.Register(this);
        }

        // The last resort for a tensor that nobody disposed, as in TorchSharp.
        ~Tensor() => Release();

        /// <summary>How many tensors C# holds, in all. Two of them may be views of the same memory.</summary>
        public static long TotalCount => NativeMethods.alt_live_tensors();

        /// <exception cref="InvalidOperationException">The tensor is disposed.</exception>
        public nint Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");

        /// <summary>Whether the tensor is disposed.</summary>
        public bool IsInvalid => _handle == 0;

        internal DisposeScope? OwningDisposeScope { get; set; }

        public void Dispose()
        {
            OwningDisposeScope?.Detach(this);
            Release();
            GC.SuppressFinalize(this);
        }

        /// <summary>Gives the tensor to the next outer scope, or to nobody where there is none.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        /// <summary>Gives the tensor to nobody: it lives until its own Dispose.</summary>
        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public override string ToString() => $"[{string.Join('x', shape)}], type = {dtype}, device = {device}";

        private void Release()
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
            {
                NativeMethods.alt_tensor_free(handle);
            }
        }
    }
}
