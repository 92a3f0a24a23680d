namespace TorchSharp;

public static partial class torch
{
    /// <summary>Opens a scope that owns every tensor made on this thread until it is disposed, and disposes them then.</summary>
    public static DisposeScope NewDisposeScope() => new();
}

/// <summary>Owns tensors and disposes them together. Scopes nest; the innermost of a thread owns the thread's new tensors.</summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? s_current;

    private readonly HashSet<torch.Tensor> _tensors = new(ReferenceEqualityComparer.Instance);
    private readonly DisposeScope? _outer;
    private bool _disposed;

    internal DisposeScope()
    {
        _outer = s_current;
        s_current = this;
    }

    /// <summary>How many tensors the scope owns now.</summary>
    public int DisposablesCount => _tensors.Count;

    /// <summary>Gives the tensor to the next outer scope, or to nobody where there is none.</summary>
    public void MoveToOuter(torch.Tensor tensor)
    {
        Detach(tensor);
        _outer?.Attach(tensor);
    }

    /// <summary>Gives the tensor to nobody: it lives until its own Dispose.</summary>
    public void Detach(torch.Tensor tensor)
    {
        if (_tensors.Remove(tensor))
        {
            tensor.OwningDisposeScope = null;
        }
    }

    /// <summary>Disposes every tensor that the scope still owns.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (s_current == this)
        {
            s_current = _outer;
        }

        foreach (var tensor in _tensors)
        {
            tensor.OwningDisposeScope = null;
            tensor.Dispose();
        }

        _tensors.Clear();
    }

    internal static void Register(torch.Tensor tensor) => s_current?.Attach(tensor);

    private void Attach(torch.Tensor tensor)
    {
        _tensors.Add(tensor);
        tensor.OwningDisposeScope = this;
    }
}
