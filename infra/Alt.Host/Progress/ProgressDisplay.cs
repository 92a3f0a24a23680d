using Spectre.Console;

namespace Alt.Host.Progress;

/// <summary>Shows snapshots as they come: on a terminal in one line that is overwritten, elsewhere in a new line now and then.</summary>
internal sealed class ProgressDisplay(Output output)
{
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);

    private StatusContext? _live;
    private string _stage = "";
    private DateTime _nextPlain;

    /// <summary>Shows progress while the work continues.</summary>
    public Task DuringAsync(Func<Task> work) => !output.Live ? work() : output.Aside.Status().StartAsync("starting", async context =>
    {
        _live = context;
        await work();
    });

    public void Show(RunSnapshot snapshot)
    {
        if (_live is not null)
        {
            _live.Status(Markup.Escape(ProgressText.LineOf(snapshot)));
            return;
        }

        var entered = ProgressText.StageOf(snapshot);
        if (entered != _stage || snapshot.Run?.Hold is null && DateTime.UtcNow >= _nextPlain)
        {
            output.Say(ProgressText.LineOf(snapshot));
            (_stage, _nextPlain) = (entered, DateTime.UtcNow + PlainInterval);
        }
    }

    /// <summary>A line that stays.</summary>
    public void Note(string line)
    {
        if (_live is null)
        {
            output.Say(line);
        }
        else
        {
            output.Aside.MarkupLineInterpolated($"{line}");
        }
    }
}
