using Alt.Activities;
using Alt.Domain;
using Temporalio.Activities;

namespace Alt.Tests.Workflows;

/// <summary>Stands in for all activities under their names: records each call, and does what a test wants before it returns.</summary>
internal sealed class StubActivities
{
    private readonly List<string> _calls = [];
    private readonly Dictionary<string, Func<Task>> _before = [];
    private readonly Dictionary<string, (Hold Hold, int Times)> _holds = [];

    /// <summary>How many chunks prompts and evaluations have.</summary>
    public int Chunks { get; init; } = 2;

    /// <summary>Where a run begins, as its record has it.</summary>
    public RunPlan Plan { get; init; } = new(0, Paused: false);

    /// <summary>All attempts so far, in the order of their beginning: "Draw 1" for iteration 1, "Sample 1.0" for its chunk 0.</summary>
    public IReadOnlyList<string> Calls
    {
        get
        {
            lock (_calls)
            {
                return [.. _calls];
            }
        }
    }

    /// <summary>Calls by their place in <see cref="Calls"/>; -1 for a call that was not made.</summary>
    public int At(string call) => Calls.ToList().IndexOf(call);

    /// <summary>Does something in a call before it returns.</summary>
    public void In(string call, Func<Task> work) => _before.Add(call, work);

    /// <summary>Lets a call fail the first times.</summary>
    public void Fails(string call, Exception failure, int times = 1)
    {
        var failed = 0;
        In(call, () => Interlocked.Increment(ref failed) <= times ? Task.FromException(failure) : Task.CompletedTask);
    }

    /// <summary>Lets a call of feedback wait for a person the first times.</summary>
    public void Holds(string call, string reason, int times = 1) => _holds.Add(call, (new Hold(HoldKind.Labels, reason), times));

    /// <summary>Keeps a call from returning until the gate is opened.</summary>
    public Gate Closes(string call)
    {
        var gate = new Gate();
        In(call, gate.PassAsync);
        return gate;
    }

    [Activity("StartRun")]
    public Task<RunPlan> StartRunAsync(string run, RunConfig config) => CallAsync("StartRun", Plan);

    [Activity("Import")]
    public Task ImportAsync(string run) => CallAsync("Import");

    [Activity("TrainClassifiers")]
    public Task TrainClassifiersAsync(string run) => CallAsync("TrainClassifiers");

    [Activity("Pretrain")]
    public Task PretrainAsync(string run) => CallAsync("Pretrain");

    [Activity("Draw")]
    public Task<int> DrawAsync(IterationRef iteration) => CallAsync($"Draw {iteration.Number}", Chunks);

    [Activity("Sample")]
    public Task SampleAsync(ChunkRef chunk) => CallAsync($"Sample {chunk.Iteration.Number}.{chunk.Chunk}");

    [Activity("CompleteSampling")]
    public Task CompleteSamplingAsync(IterationRef iteration) => CallAsync($"CompleteSampling {iteration.Number}");

    [Activity("Collect")]
    public Task<Hold?> CollectAsync(ChunkRef chunk) => CallFeedbackAsync($"Collect {chunk.Iteration.Number}.{chunk.Chunk}");

    [Activity("CompleteFeedback")]
    public Task<Hold?> CompleteFeedbackAsync(IterationRef iteration) => CallFeedbackAsync($"CompleteFeedback {iteration.Number}");

    [Activity("Update")]
    public Task UpdateAsync(IterationRef iteration) => CallAsync($"Update {iteration.Number}");

    [Activity("Select")]
    public Task SelectAsync(IterationRef iteration) => CallAsync($"Select {iteration.Number}");

    [Activity("Train")]
    public Task TrainAsync(IterationRef iteration) => CallAsync($"Train {iteration.Number}");

    [Activity("Plan")]
    public Task<int> PlanAsync(IterationRef iteration) => CallAsync($"Plan {iteration.Number}", Chunks);

    [Activity("Evaluate")]
    public Task EvaluateAsync(ChunkRef chunk) => CallAsync($"Evaluate {chunk.Iteration.Number}.{chunk.Chunk}");

    [Activity("CompleteEvaluation")]
    public Task CompleteEvaluationAsync(IterationRef iteration) => CallAsync($"CompleteEvaluation {iteration.Number}");

    [Activity("FinishIteration")]
    public Task FinishIterationAsync(IterationRef iteration) => CallAsync($"FinishIteration {iteration.Number}");

    [Activity("FinishRun")]
    public Task FinishRunAsync(string run, bool stopped) => CallAsync(stopped ? "FinishRun stopped" : "FinishRun");

    [Activity("Fail")]
    public Task FailAsync(string run, string reason) => CallAsync($"Fail {reason}");

    [Activity("Pause")]
    public Task PauseAsync(string run, bool pause, Hold? hold = null) => CallAsync((pause ? "Pause " : "Resume ") + hold?.Reason);

    [Activity("Label")]
    public Task<int> LabelAsync(string run, GivenLabels given) => CallAsync($"Label {given.Author}", given.Labels.Count);

    private async Task<Hold?> CallFeedbackAsync(string call)
    {
        await CallAsync(call);
        return _holds.TryGetValue(call, out var hold) && Calls.Count(c => c == call) <= hold.Times ? hold.Hold : null;
    }

    private async Task<T> CallAsync<T>(string call, T result)
    {
        await CallAsync(call);
        return result;
    }

    private async Task CallAsync(string call)
    {
        call = call.TrimEnd();
        lock (_calls)
        {
            _calls.Add(call);
        }

        if (_before.TryGetValue(call, out var work))
        {
            await work();
        }
    }
}

/// <summary>Holds an activity up; it beats meanwhile, as all of them do, and ends with its cancellation.</summary>
internal sealed class Gate
{
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when an activity stands before the gate.</summary>
    public Task Reached => _reached.Task;

    public void Open() => _opened.TrySetResult();

    public async Task PassAsync()
    {
        _reached.TrySetResult();
        var context = ActivityExecutionContext.Current;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, context.WorkerShutdownToken);
        using var timer = new PeriodicTimer(Beat);
        while (!_opened.Task.IsCompleted)
        {
            context.Heartbeat();
            await Task.WhenAny(_opened.Task, timer.WaitForNextTickAsync(ending.Token).AsTask());
            ending.Token.ThrowIfCancellationRequested();
        }
    }
}
