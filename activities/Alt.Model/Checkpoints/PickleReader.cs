using System.Buffers.Binary;
using System.Text;
using Alt.Domain;

namespace Alt.Model.Checkpoints;

/// <summary>
/// Reads what <c>torch.save</c> pickles of a state dict (Python's pickle, protocol 2): dicts, tuples, strings, numbers, and tensors that
/// point into storages.
/// A pickle is a program for a machine with a stack. This one knows the few instructions and the few classes that tensors need and refuses
/// every other; it calls nothing, and takes no more memory than a few times the pickle's length.
/// </summary>
internal sealed class PickleReader
{
    // Dicts are written in parts of 1,000 pairs; whatever needs more is not one of ours.
    private const int LargestStack = 1 << 16;
    private const int LongestGlobal = 200;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _pickle;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;

    private PickleReader(byte[] pickle) => _pickle = pickle;

    /// <summary>The tensors of a pickled state dict, by name.</summary>
    /// <exception cref="FormatException">It is damaged, or is something other than a dict of tensors by names.</exception>
    public static IReadOnlyDictionary<string, PickledTensor> Read(byte[] pickle)
    {
        var root = new PickleReader(pickle).Run() as PickledDict
            ?? throw new FormatException("it holds no dict; expected a state dict, as torch.save(model.state_dict(), …) writes");
        var other = root.Items.FirstOrDefault(item => item.Value is not PickledTensor);
        return other.Key is null
            ? root.Items.ToDictionary(item => item.Key, item => (PickledTensor)item.Value!, StringComparer.Ordinal)
            : throw new FormatException(
                $"its value {InputException.Quote(other.Key)} is no tensor; expected a plain state dict, as "
                + "torch.save(model.state_dict(), …) writes");
    }

    private object? Run()
    {
        while (true)
        {
            var start = _at;
            var code = Byte();
            switch ((char)code)
            {
                case '\x80':
                    RequireProtocol(Byte());
                    break;
                case '.':
                    return _stack.Count == 1 && _marks.Count == 0 ? Pop() : throw Damaged(start);
                case '(':
                    _marks.Push(_stack.Count);
                    break;
                case '}':
                    Push(new PickledDict());
                    break;
                case ')':
                    Push(Array.Empty<object?>());
                    break;
                case '\x85':
                    Push(Taken(1));
                    break;
                case '\x86':
                    Push(Taken(2));
                    break;
                case '\x87':
                    Push(Taken(3));
                    break;
                case 't':
                    Push(Marked());
                    break;
                case 'N':
                    Push(null);
                    break;
                case '\x88':
                    Push(true);
                    break;
                case '\x89':
                    Push(false);
                    break;
                case 'K':
                    Push((long)Byte());
                    break;
                case 'M':
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)));
                    break;
                case 'J':
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                    break;
                case '\x8a':
                    Push(Long(Bytes(Byte())));
                    break;
                case 'X':
                    Push(Text(Bytes(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4)))));
                    break;
                case 'q':
                    _memo[Byte()] = Top();
                    break;
                case 'r':
                    _memo[BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))] = Top();
                    break;
                case 'h':
                    Push(Remembered(Byte()));
                    break;
                case 'j':
                    Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))));
                    break;
                case 'c':
                    Push(PickledGlobal.Of(Line(), Line()));
                    break;
                case 'Q':
                    Push(PickledStorage.Of(Pop()));
                    break;
                case 'R':
                    var arguments = Pop();
                    Push(Pop() is PickledGlobal called && arguments is object?[] given ? called.Call(given) : throw Damaged(start));
                    break;
                case 'b':
                    // What a state dict has beside its items: the versions of the model's classes.
                    Push(Pop() is PickledDict && Pop() is PickledDict target ? target : throw Damaged(start));
                    break;
                case 's':
                    Fill(Taken(2), start);
                    break;
                case 'u':
                    Fill(Marked(), start);
                    break;
                default:
                    throw new FormatException($"its pickle has the instruction 0x{code:x2} at byte {start}, which no state dict needs");
            }
        }

        FormatException Damaged(int start) => new($"its pickle is damaged at byte {start}");

        object? Remembered(uint number) => _memo.TryGetValue(number, out var value) ? value : throw Damaged(_at);
    }

    private static void RequireProtocol(byte protocol)
    {
        if (protocol != 2)
        {
            throw new FormatException(
                $"its pickle has protocol {protocol}, expected 2, as torch.save writes; load it with PyTorch and save it again");
        }
    }

    private void Fill(object?[] pairs, int start)
    {
        if (Top() is not PickledDict dict || pairs.Length % 2 != 0)
        {
            throw new FormatException($"its pickle is damaged at byte {start}");
        }

        foreach (var pair in pairs.Chunk(2))
        {
            if (pair[0] is not string name)
            {
                throw new FormatException("its pickle has a dict with keys that are no strings, expected tensors by name");
            }

            if (!dict.Items.TryAdd(name, pair[1]))
            {
                throw new FormatException($"its pickle has {InputException.Quote(name)} twice");
            }
        }
    }

    private void Push(object? value)
    {
        if (_stack.Count == LargestStack)
        {
            throw new FormatException($"its pickle has more than {LargestStack} values at once, which no state dict needs");
        }

        _stack.Add(value);
    }

    private object? Top() => _stack.Count > (_marks.TryPeek(out var mark) ? mark : 0)
        ? _stack[^1]
        : throw new FormatException($"its pickle takes a value that is not there at byte {_at}");

    private object? Pop()
    {
        var value = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] Taken(int count)
    {
        var values = new object?[count];
        for (var i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }

        return values;
    }

    private object?[] Marked()
    {
        var mark = _marks.TryPop(out var found) ? found : throw new FormatException($"its pickle ends at byte {_at} what it did not begin");
        object?[] values = [.. _stack[mark..]];
        _stack.RemoveRange(mark, values.Length);
        return values;
    }

    private byte Byte() => Bytes(1)[0];

    private ReadOnlySpan<byte> Bytes(long count)
    {
        if (count > _pickle.Length - _at)
        {
            throw new FormatException("its pickle is cut off");
        }

        var bytes = _pickle.AsSpan(_at, (int)count);
        _at += (int)count;
        return bytes;
    }

    private string Line()
    {
        var length = _pickle.AsSpan(_at, Math.Min(LongestGlobal, _pickle.Length - _at)).IndexOf((byte)'\n');
        if (length < 0)
        {
            throw new FormatException($"its pickle is damaged at byte {_at}");
        }

        var line = Text(Bytes(length));
        _at++;
        return line;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException("its pickle has a string that is not UTF-8", e);
        }
    }

    private static long Long(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > sizeof(long))
        {
            throw new FormatException($"its pickle has a number of {bytes.Length} bytes");
        }

        var number = bytes.Length > 0 && (sbyte)bytes[^1] < 0 ? -1L : 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
        {
            number = (number << 8) | bytes[i];
        }

        return number;
    }
}
