using System.Globalization;
using System.Text;

namespace Alt.Model.Chat;

/// <summary>
/// The values of a template, as Python has them: null, bool, long, double, string, a list, a dictionary, what is undefined, and what can be
/// called.
/// </summary>
internal static class TemplateValue
{
    public static bool IsTrue(object? value) => value switch
    {
        null or Undefined => false,
        bool b => b,
        long n => n != 0,
        double n => n != 0,
        string text => text.Length > 0,
        List<object?> list => list.Count > 0,
        Dictionary<string, object?> dictionary => dictionary.Count > 0,
        _ => true,
    };

    public static bool AreEqual(object? a, object? b) => (a, b) switch
    {
        (Undefined, Undefined) => true,
        (string x, string y) => x == y,
        (List<object?> x, List<object?> y) => x.Count == y.Count && x.Zip(y).All(pair => AreEqual(pair.First, pair.Second)),
        (Dictionary<string, object?> x, Dictionary<string, object?> y) =>
            x.Count == y.Count && x.All(item => y.TryGetValue(item.Key, out var other) && AreEqual(item.Value, other)),
        _ => Number(a) is { } x && Number(b) is { } y ? x == y : Equals(a, b),
    };

    /// <summary>Of a bool, which is 0 or 1, and of numbers; null of anything else.</summary>
    public static double? Number(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long n => n,
        double n => n,
        _ => null,
    };

    /// <summary>As Python's str.</summary>
    public static string Text(object? value) => value switch
    {
        Undefined => "",
        string text => text,
        _ => Literal(value),
    };

    /// <summary>As Python's json.dumps without ensure_ascii.</summary>
    public static string Json(object? value, int? indent = null)
    {
        var json = new StringBuilder();
        WriteJson(json, value, indent, 0);
        return json.ToString();
    }

    /// <summary>How an error names a value, which it must not quote.</summary>
    public static string KindOf(object? value) => value switch
    {
        null => "none",
        Undefined undefined => $"the undefined '{Tokenizers.TokenizerJson.Excerpt(undefined.Name)}'",
        bool => "a bool",
        long or double => "a number",
        string => "a string",
        List<object?> => "a list",
        Dictionary<string, object?> or Namespace => "a mapping",
        _ => "a function",
    };

    // As Python's repr.
    private static string Literal(object? value) => value switch
    {
        null => "None",
        bool b => b ? "True" : "False",
        long n => n.ToString(CultureInfo.InvariantCulture),
        double n => Float(n),
        string text => text.Contains('\'') && !text.Contains('"')
            ? $"\"{Escape(text)}\""
            : $"'{Escape(text).Replace("'", "\\'", StringComparison.Ordinal)}'",
        List<object?> list => $"[{string.Join(", ", list.Select(Literal))}]",
        Dictionary<string, object?> dictionary =>
            $"{{{string.Join(", ", dictionary.Select(item => $"{Literal(item.Key)}: {Literal(item.Value)}"))}}}",
        _ => KindOf(value),
    };

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)
            .Replace("\r", "\\r", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);

    private static string Float(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        return text.AsSpan().ContainsAny(".EIN") ? text : text + ".0";
    }

    private static void WriteJson(StringBuilder json, object? value, int? indent, int depth)
    {
        switch (value)
        {
            case List<object?> list:
                WriteItems(json, '[', ']', list, item => WriteJson(json, item, indent, depth + 1), indent, depth);
                break;
            case Dictionary<string, object?> dictionary:
                WriteItems(json, '{', '}', dictionary, item =>
                {
                    WriteString(json, item.Key);
                    json.Append(": ");
                    WriteJson(json, item.Value, indent, depth + 1);
                }, indent, depth);
                break;
            case string text:
                WriteString(json, text);
                break;
            default:
                json.Append(value is null ? "null" : value is bool b ? b ? "true" : "false" : Literal(value));
                break;
        }
    }

    private static void WriteItems<T>(
        StringBuilder json, char open, char close, IReadOnlyCollection<T> items, Action<T> write, int? indent, int depth)
    {
        json.Append(open);
        foreach (var (i, item) in items.Index())
        {
            json.Append(i == 0 ? "" : indent is null ? ", " : ",");
            Line(depth + 1);
            write(item);
        }

        if (items.Count > 0)
        {
            Line(depth);
        }

        json.Append(close);

        void Line(int levels)
        {
            if (indent is { } width)
            {
                json.Append('\n').Append(' ', width * levels);
            }
        }
    }

    private static void WriteString(StringBuilder json, string text)
    {
        json.Append('"');
        foreach (var c in text)
        {
            json.Append(c switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\b' => "\\b",
                '\f' => "\\f",
                < ' ' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }

        json.Append('"');
    }
}

/// <summary>A variable or a member that does not exist.</summary>
internal sealed record Undefined(string Name);

/// <summary>What namespace() makes: its variables outlive the loop that sets them.</summary>
internal sealed record Namespace(Dictionary<string, object?> Variables);

/// <param name="Positional">Arguments in order.</param>
/// <param name="Named">Arguments by name.</param>
internal sealed record Values(IReadOnlyList<object?> Positional, IReadOnlyDictionary<string, object?> Named);

internal delegate object? Function(Values arguments, int line);
