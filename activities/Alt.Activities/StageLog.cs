using Alt.Domain;
using Microsoft.Extensions.Logging;
using Temporalio.Activities;

namespace Alt.Activities;

/// <summary>
/// What the stages tell the log. Run, iteration and chunk are properties of every message, from the scope that
/// <see cref="ActivityInterceptor"/> opens; the messages hold ids, counts and times, never a text of the data.
/// </summary>
internal static partial class StageLog
{
    /// <summary>The log of the activity that is under way.</summary>
    public static ILogger Log => ActivityExecutionContext.Current.Logger;

    // ---- Every activity
    [LoggerMessage(LogLevel.Information, "{Name} begins, attempt {Attempt}, after {QueueSeconds:0.000} s in its queue")]
    public static partial void Begins(this ILogger log, string name, int attempt, double queueSeconds);

    [LoggerMessage(LogLevel.Information, "{Name} ended after {Seconds:0.000} s")]
    public static partial void Ends(this ILogger log, string name, double seconds);

    [LoggerMessage(LogLevel.Information, "{Name} was cancelled, or its worker ends, after {Seconds:0.000} s")]
    public static partial void Interrupted(this ILogger log, string name, double seconds);

    [LoggerMessage(LogLevel.Information, "The work waits for a person: {Reason}")]
    public static partial void Waits(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Error, "{Name} failed at attempt {Attempt} and is not tried again: {Reason}")]
    public static partial void FailedForGood(this ILogger log, Exception exception, string name, int attempt, string reason);

    [LoggerMessage(LogLevel.Warning, "{Name} failed at attempt {Attempt} and is tried again: {Reason}")]
    public static partial void FailedForNow(this ILogger log, Exception exception, string name, int attempt, string reason);

    [LoggerMessage(LogLevel.Information, "{What} is recorded already; nothing is done twice")]
    public static partial void RecordedAlready(this ILogger log, string what);

    // ---- Prompts
    [LoggerMessage(LogLevel.Information, "The run is recorded as {Status}; {Iterations} iterations have ended")]
    public static partial void RunStarts(this ILogger log, RunStatus status, int iterations);

    [LoggerMessage(
        LogLevel.Information, "Imported {Prompts} prompts, {Evaluation} for evaluation, {Labelled} labelled texts; skipped {Skipped} rows")]
    public static partial void Imported(this ILogger log, int prompts, int evaluation, int labelled, int skipped);

    [LoggerMessage(LogLevel.Information, "Drew {Prompts} prompts in {Chunks} chunks")]
    public static partial void Drew(this ILogger log, int prompts, int chunks);

    // ---- Sampling and Evaluation
    [LoggerMessage(LogLevel.Information, "Sampled {Samples} generations of {Tokens} tokens in {Seconds:0.000} s")]
    private static partial void Sampled(this ILogger log, int samples, long tokens, double seconds);

    public static void Sampled(this ILogger log, string run, IterationEvent.ChunkFinished chunk)
    {
        log.Sampled(chunk.Count, chunk.Tokens, chunk.Seconds);
        StageTelemetry.Sampled(run, chunk);
    }

    [LoggerMessage(LogLevel.Information, "Summed up {Samples} generations of policy {Policy}, {Truncated} of them truncated")]
    public static partial void SummedUp(this ILogger log, int samples, string policy, int truncated);

    [LoggerMessage(LogLevel.Information, "Measured {Samples} samples of {Prompts} prompts: {Unjudged} unjudged, {Improbable} improbable")]
    public static partial void Measured(this ILogger log, int samples, int prompts, int unjudged, int improbable);

    // ---- Feedback
    [LoggerMessage(LogLevel.Information, "The {Role} classifier of {Texts} texts is ready after {Seconds:0.000} s, reused: {Reused}")]
    public static partial void ClassifierReady(this ILogger log, ClassifierRole role, int texts, double seconds, bool reused);

    [LoggerMessage(LogLevel.Information, "Judged {Samples} samples in {Seconds:0.000} s; the chunk had been judged before: {Again}")]
    public static partial void Judged(this ILogger log, int samples, double seconds, bool again);

    [LoggerMessage(
        LogLevel.Information,
        "Feedback by {Judge}: {Labelled} labelled, {Abstained} abstained, {Unparsed} unparsed, {Failed} failed, {Vetoed} vetoed")]
    public static partial void Collected(
        this ILogger log, string judge, int labelled, int abstained, int unparsed, int failed, int vetoed);

    [LoggerMessage(LogLevel.Information, "Recorded {Count} labels by people")]
    public static partial void Labelled(this ILogger log, int count);

    // ---- DataPool and Selection
    [LoggerMessage(LogLevel.Information, "The pool has {Entries} entries, {Added} of them new")]
    public static partial void Pooled(this ILogger log, int entries, int added);

    [LoggerMessage(LogLevel.Information, "Selected {Selected} samples to train on")]
    public static partial void Selected(this ILogger log, int selected);

    // ---- Training
    [LoggerMessage(LogLevel.Information, "The base model was given or made before: {Artifact}")]
    public static partial void BaseModelGiven(this ILogger log, string artifact);

    [LoggerMessage(LogLevel.Information, "Training continues from its checkpoint at step {Step}")]
    public static partial void TrainingResumed(this ILogger log, int step);

    [LoggerMessage(LogLevel.Information, "Training recorded a checkpoint at step {Step}")]
    public static partial void TrainingCheckpointed(this ILogger log, int step);

    [LoggerMessage(LogLevel.Information, "Trained on {Tokens} tokens in {Seconds:0.000} s, last loss {Loss:0.0000}")]
    public static partial void Trained(this ILogger log, long tokens, double seconds, double loss);

    // ---- Report
    [LoggerMessage(LogLevel.Information, "The iteration has ended with policy {Policy}")]
    public static partial void IterationEnded(this ILogger log, string policy);

    [LoggerMessage(LogLevel.Information, "The run is recorded as {Status}")]
    public static partial void RunRecorded(this ILogger log, RunStatus status);

    [LoggerMessage(LogLevel.Error, "The run is recorded as failed: {Reason}")]
    public static partial void RunFailed(this ILogger log, string reason);
}
