using System.Text.Json;

namespace Alt.Activities.Feedback;

/// <summary>Reads the JSON that remote judges send, or should send.</summary>
internal static class ReplyJson
{
    /// <returns>
    /// What the reader finds; null for anything that is not JSON of the expected shape: the caller then keeps
    /// the reply as it came.
    /// </returns>
    public static T? Read<T>(Func<T?> reader)
    {
        try
        {
            return reader();
        }
        // A node reports a duplicate name only when a member is read, and by an argument exception.
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return default;
        }
    }
}
