using Spectre.Console;

namespace Alt.Host.Progress;

/// <summary>Shows snapshots as they come: one line that is written over on a terminal, a line now and then elsewhere.</summary>
internal sealed class ProgressDisplay(Output output)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private StatusContext? live;
    private string stage = "";
    private DateTime nextPlain;

    /// <summary>Shows progress for as long as the work goes on.</summary>
    public Task DuringAsync(Func<Task> work) => !output.Live ? work() : output.Aside.Status().StartAsync("starting", async context =>
    {
        live = context;
        await work();
    });

    public void Show(RunSnapshot snapshot)
    {
        if (live is not null)
        {
            live.Status(Markup.Escape(ProgressText.LineOf(snapshot)));
            return;
        }

        var entered = ProgressText.StageOf(snapshot);
        if (entered != stage || snapshot.Run?.WaitsFor is null && DateTime.UtcNow >= nextPlain)
        {
            output.Say(ProgressText.LineOf(snapshot));
            (stage, nextPlain) = (entered, DateTime.UtcNow + PlainInterval);
        }
    }

    /// <summary>A line that stays.</summary>
    public void Note(string line)
    {
        if (live is null)
        {
            output.Say(line);
        }
        else
        {
            output.Aside.MarkupLineInterpolated($"{line}");
        }
    }
}
