using Temporalio.Activities;
using Temporalio.Api.Common.V1;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Temporalio.Worker;

/// <summary>Arguments of an activity from their payloads.</summary>
internal static class ActivityArguments
{
    /// <exception cref="ApplicationFailureException">There are too few, or one cannot be converted.</exception>
    public static async Task<object?[]> DecodeAsync(ActivityDefinition definition, IReadOnlyList<Payload> payloads, DataConverter converter)
    {
        if (definition.Dynamic)
        {
            return [payloads.Select(payload => (IRawValue)new RawValue(payload)).ToArray()];
        }
        if (payloads.Count < definition.RequiredParameterCount)
        {
            throw new ApplicationFailureException(
                $"Activity {definition.Name} given {payloads.Count} parameter(s), but {definition.RequiredParameterCount} are required");
        }
        var types = definition.ParameterTypes.ToArray();
        var arguments = (object?[])definition.Defaults.Clone();
        for (var i = 0; i < Math.Min(types.Length, payloads.Count); i++)
        {
            try
            {
                arguments[i] = await converter.ToValueAsync(payloads[i], types[i]);
            }
            catch (Exception e) when (e is not TemporalException)
            {
                throw new ApplicationFailureException($"Activity {definition.Name} had failure decoding parameter {i + 1}", e);
            }
        }
        return arguments;
    }
}
