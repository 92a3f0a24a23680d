namespace Alt.Model.Decoding;

/// <summary>
/// One thread per core that run the same method side by side, share out its work piece by piece and wait for each other between its parts.
/// A decoder's step has a hundred parts of some hundred microseconds: starting tasks for each would cost more than the waiting does here.
/// </summary>
internal sealed class WorkerTeam : IDisposable
{
    // Before a thread sleeps it spins for about as long as its caller takes between two steps.
    private const int SpinsBeforeSleep = 200;

    private readonly Thread[] _others;
    private readonly SemaphoreSlim[] _gates;
    private Action<int>? _body;
    private Exception? _failure;
    private int _run, _running, _arrived, _phase, _next;
    private bool _ended;

    public WorkerTeam(int size)
    {
        Size = size;
        _gates = [.. Enumerable.Range(1, size - 1).Select(_ => new SemaphoreSlim(0))];
        _others = [.. Enumerable.Range(1, size - 1)
            .Select(worker => new Thread(() => Serve(worker)) { IsBackground = true, Name = $"decoder {worker}" })];
        foreach (var thread in _others)
        {
            thread.Start();
        }
    }

    public int Size { get; }

    /// <summary>Runs the method on every worker, of which the caller is the first, and returns when all are done.</summary>
    /// <param name="body">Gets the worker's number. Keep the delegate: a new one for every step is garbage.</param>
    public void Run(Action<int> body)
    {
        (_body, _failure, _running, _arrived, _next) = (body, null, Size, 0, 0);
        Begin();
        RunBody(0);
        var spin = new SpinWait();
        while (Volatile.Read(ref _running) > 0)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        if (_failure is { } failure)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>Takes the next piece of the part's work.</summary>
    public bool Take(int pieces, out int piece)
    {
        piece = Interlocked.Increment(ref _next) - 1;
        return piece < pieces;
    }

    /// <summary>Waits until every worker has come here; then a new part begins.</summary>
    public void Sync()
    {
        var phase = Volatile.Read(ref _phase);
        if (Interlocked.Increment(ref _arrived) == Size)
        {
            (_arrived, _next) = (0, 0);
            Volatile.Write(ref _phase, phase + 1);
            return;
        }

        var spin = new SpinWait();
        while (Volatile.Read(ref _phase) == phase)
        {
            if (Volatile.Read(ref _failure) is not null)
            {
                throw new OperationCanceledException("another worker failed");
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Dispose()
    {
        _ended = true;
        Begin();
        foreach (var (thread, gate) in _others.Zip(_gates))
        {
            thread.Join();
            gate.Dispose();
        }
    }

    private void Begin()
    {
        Volatile.Write(ref _run, _run + 1);
        foreach (var gate in _gates)
        {
            gate.Release();
        }
    }

    private void Serve(int worker)
    {
        for (var run = 1; ; run++)
        {
            var spin = new SpinWait();
            for (var i = 0; i < SpinsBeforeSleep && Volatile.Read(ref _run) < run; i++)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }

            _gates[worker - 1].Wait();
            if (_ended)
            {
                return;
            }

            RunBody(worker);
        }
    }

    private void RunBody(int worker)
    {
        try
        {
            _body!(worker);
        }
        catch (Exception e)
        {
            // The first one counts: those after it only say that it happened.
            Interlocked.CompareExchange(ref _failure, e, null);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
