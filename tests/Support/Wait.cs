namespace Alt.Tests;

internal static class Wait
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Waits until a condition holds, and fails with its name if it never does.</summary>
    public static Task ForAsync(Func<bool> condition, string name) => ForAsync(() => Task.FromResult(condition()), name);

    /// <inheritdoc cref="ForAsync(Func{bool}, string)"/>
    public static async Task ForAsync(Func<Task<bool>> condition, string name)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var deadline = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"There was not {name} within {Limit.TotalSeconds} s.");
            await timer.WaitForNextTickAsync();
        }
    }
}
