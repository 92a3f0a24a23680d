using System.Text.Json.Serialization;

namespace Alt.Model.Training;

/// <summary>
/// Dynamic loss scaling (arXiv 1710.03740, section 3.2): half-precision gradients that are too small for their type would be 0, so the loss
/// is multiplied by as much as they bear. An overflow halves the factor and costs a step; after enough steps without one it doubles.
/// </summary>
/// <param name="Value">What the loss is multiplied by; a power of 2, so that it rounds nothing. 1 and no growth is off.</param>
/// <param name="GoodSteps">Steps without an overflow since the last change.</param>
/// <param name="GrowthSteps">Steps without an overflow after which the factor doubles; 0 is never.</param>
public readonly record struct LossScale(double Value, int GoodSteps, int GrowthSteps)
{
    public static LossScale Off { get; } = new(1, 0, 0);

    /// <summary>Whether an overflow is to be expected now and then.</summary>
    [JsonIgnore]
    public bool IsOn => GrowthSteps > 0;

    public LossScale AfterOverflow() => new(Value / 2, 0, GrowthSteps);

    public LossScale AfterStep() =>
        !IsOn ? this : GoodSteps + 1 < GrowthSteps ? this with { GoodSteps = GoodSteps + 1 } : new(Value * 2, 0, GrowthSteps);
}
