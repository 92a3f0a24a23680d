namespace Temporalio.Workflows;

/// <summary>A semaphore for the tasks of one workflow.</summary>
public class Semaphore
{
    /// <summary>Creates a semaphore.</summary>
    /// <param name="initialCount">How many may hold it at a time.</param>
    /// <exception cref="ArgumentException">Less than 1.</exception>
    public Semaphore(int initialCount)
    {
        Max = initialCount > 0 ? initialCount : throw new ArgumentException("Initial count must be positive", nameof(initialCount));
        CurrentCount = initialCount;
    }

    /// <summary>How many may hold it at a time.</summary>
    public int Max { get; }

    /// <summary>How many more may hold it now.</summary>
    public int CurrentCount { get; private set; }

    /// <summary>Waits for a free place and takes it.</summary>
    public async Task WaitAsync(CancellationToken? cancellationToken = null)
    {
        // Another waiter that woke for the same condition may have taken the place.
        while (CurrentCount == 0)
        {
            await Workflow.WaitConditionAsync(() => CurrentCount > 0, cancellationToken);
        }
        CurrentCount--;
    }

    /// <summary>Waits for a free place and takes it, or gives up.</summary>
    /// <returns>Whether a place was taken.</returns>
    public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken? cancellationToken = null)
    {
        var deadline = Workflow.UtcNow + timeout;
        while (CurrentCount == 0)
        {
            var left = deadline - Workflow.UtcNow;
            if (left <= TimeSpan.Zero || !await Workflow.WaitConditionAsync(() => CurrentCount > 0, left, cancellationToken))
            {
                return false;
            }
        }
        CurrentCount--;
        return true;
    }

    /// <summary>Gives a place back.</summary>
    /// <exception cref="InvalidOperationException">All places are free.</exception>
    public void Release() => CurrentCount = CurrentCount < Max ? CurrentCount + 1 : throw new InvalidOperationException("Semaphore is not held");
}

/// <summary>A mutex for the tasks of one workflow.</summary>
public class Mutex
{
    private readonly Semaphore semaphore = new(1);

    /// <summary>Waits for the mutex and takes it.</summary>
    public Task WaitOneAsync(CancellationToken? cancellationToken = null) => semaphore.WaitAsync(cancellationToken);

    /// <summary>Waits for the mutex and takes it, or gives up.</summary>
    /// <returns>Whether it was taken.</returns>
    public Task<bool> WaitOneAsync(TimeSpan timeout, CancellationToken? cancellationToken = null) => semaphore.WaitAsync(timeout, cancellationToken);

    /// <summary>Gives the mutex back.</summary>
    /// <exception cref="InvalidOperationException">Nobody holds it.</exception>
    public void ReleaseMutex() => semaphore.Release();
}
