using System.Collections;
using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Temporalio.Api.Common.V1;

namespace Temporalio.Converters;

/// <summary>
/// Runs a codec over every payload in a message of Temporal's API, found by the message descriptors: arguments, results, heartbeat
/// details, memos, headers, encoded failure attributes. Search attributes stay as they are, since the server must read them.
/// </summary>
internal static class PayloadVisitor
{
    // Whether a payload can occur below a message type; most types hold none, and histories are long.
    private static readonly ConcurrentDictionary<MessageDescriptor, bool> HoldsPayloads = new();

    public static Task EncodeAsync(IMessage message, IPayloadCodec? codec) =>
        codec is null ? Task.CompletedTask : VisitAsync(message, codec.EncodeAsync);

    public static Task DecodeAsync(IMessage message, IPayloadCodec? codec) =>
        codec is null ? Task.CompletedTask : VisitAsync(message, codec.DecodeAsync);

    private static async Task VisitAsync(IMessage message, Func<IReadOnlyCollection<Payload>, Task<IReadOnlyCollection<Payload>>> transform)
    {
        if (message is Payloads payloads)
        {
            if (payloads.Payloads_.Count > 0)
            {
                var transformed = await transform(payloads.Payloads_.ToArray());
                payloads.Payloads_.Clear();
                payloads.Payloads_.AddRange(transformed);
            }
            return;
        }
        // Protocol messages (updates) travel packed.
        if (message is Any packed)
        {
            await VisitPackedAsync(packed, transform);
            return;
        }
        if (message is SearchAttributes)
        {
            return;
        }
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.FieldType == FieldType.Message && MayHoldPayloads(field.MessageType, []))
            {
                await VisitFieldAsync(message, field, transform);
            }
        }
    }

    private static async Task VisitFieldAsync(
        IMessage message, FieldDescriptor field, Func<IReadOnlyCollection<Payload>, Task<IReadOnlyCollection<Payload>>> transform)
    {
        var value = field.Accessor.GetValue(message);
        switch (value)
        {
            case null:
                break;
            case Payload payload:
                field.Accessor.SetValue(message, (await transform([payload])).Single());
                break;
            case IMessage nested:
                await VisitAsync(nested, transform);
                break;
            case IDictionary map:
                foreach (var key in map.Keys.Cast<object>().ToArray())
                {
                    if (map[key] is Payload entry)
                    {
                        map[key] = (await transform([entry])).Single();
                    }
                    else if (map[key] is IMessage nested)
                    {
                        await VisitAsync(nested, transform);
                    }
                }
                break;
            case IList list:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is Payload entry)
                    {
                        list[i] = (await transform([entry])).Single();
                    }
                    else if (list[i] is IMessage nested)
                    {
                        await VisitAsync(nested, transform);
                    }
                }
                break;
        }
    }

    private static async Task VisitPackedAsync(Any packed, Func<IReadOnlyCollection<Payload>, Task<IReadOnlyCollection<Payload>>> transform)
    {
        var type = Api.Update.V1.MessageReflection.Descriptor.MessageTypes.FirstOrDefault(known => packed.TypeUrl.EndsWith("/" + known.FullName, StringComparison.Ordinal));
        if (type is null)
        {
            return;
        }
        var message = type.Parser.ParseFrom(packed.Value);
        await VisitAsync(message, transform);
        packed.Value = message.ToByteString();
    }

    private static bool MayHoldPayloads(MessageDescriptor type, HashSet<MessageDescriptor> path)
    {
        if (type == Payload.Descriptor || type == Payloads.Descriptor || type == Any.Descriptor)
        {
            return true;
        }
        if (HoldsPayloads.TryGetValue(type, out var known))
        {
            return known;
        }
        if (type == SearchAttributes.Descriptor || !path.Add(type))
        {
            return false;
        }
        var holds = type.Fields.InDeclarationOrder().Any(field => field.FieldType == FieldType.Message && MayHoldPayloads(field.MessageType, path));
        path.Remove(type);
        // Inside a cycle "no" is only provisional; at the top of the search it is final.
        if (holds || path.Count == 0)
        {
            HoldsPayloads[type] = holds;
        }
        return holds;
    }
}
