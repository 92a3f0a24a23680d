using Alt.Domain;

namespace Alt.Activities;

/// <summary>A generation of an evaluation.</summary>
/// <param name="Toxicity">The judge's probability; null for an empty text.</param>
/// <param name="NegativeLogLikelihood">The sum of -log p of the sample's tokens under the base model, in nats.</param>
public sealed record EvaluatedSample(Sample Sample, double? Toxicity, double NegativeLogLikelihood);
