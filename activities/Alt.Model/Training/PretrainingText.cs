namespace Alt.Model.Training;

/// <summary>A text to pretrain on and the source that it came from.</summary>
public sealed record PretrainingText(PretrainingSource Source, string Text);

public enum PretrainingSource { Labelled, Text }
