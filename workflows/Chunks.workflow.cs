using Temporalio.Workflows;

namespace Alt.Workflows;

internal static class Chunks
{
    /// <summary>How many chunks are scheduled at once, so that a history and a queue stay short whatever the number of chunks.</summary>
    private const int Window = 8;

    /// <summary>Runs every chunk, at most <see cref="Window"/> at a time; the first failure ends the stage.</summary>
    public static async Task ForEachAsync(int count, Func<int, Task> chunk)
    {
        var running = new List<Task>(Window);
        for (var next = 0; next < count; next++)
        {
            if (running.Count == Window)
            {
                var done = await Workflow.WhenAnyAsync(running);
                running.Remove(done);
                await done;
            }

            running.Add(chunk(next));
        }

        await Workflow.WhenAllAsync(running);
    }
}
