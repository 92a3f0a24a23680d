using System.Text.Json;

namespace Alt.Activities.Feedback;

/// <summary>What remote judges send as JSON, or should.</summary>
internal static class ReplyJson
{
    /// <returns>
    /// What the reader finds; null where it comes upon something that is no JSON, or no JSON of the expected shape: the caller then keeps
    /// the reply as it came.
    /// </returns>
    public static T? Read<T>(Func<T?> reader)
    {
        try
        {
            return reader();
        }
        // Of a name that stands twice a node complains when it is asked for one, and by an exception for arguments.
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return default;
        }
    }
}
