using System.Globalization;
using static Alt.Model.Chat.TemplateValue;

namespace Alt.Model.Chat;

/// <summary>The methods, filters and tests that chat templates use.</summary>
internal sealed partial class TemplateEvaluator
{
    private const int WidestIndent = 16;

    private Function? Method(object? value, string name) => (value, name) switch
    {
        (string text, "strip") => (arguments, line) => Strip(text, arguments, line, left: true, right: true),
        (string text, "lstrip") => (arguments, line) => Strip(text, arguments, line, left: true, right: false),
        (string text, "rstrip") => (arguments, line) => Strip(text, arguments, line, left: false, right: true),
        (string text, "startswith") => (arguments, line) => text.StartsWith(String(arguments, 0, line), StringComparison.Ordinal),
        (string text, "endswith") => (arguments, line) => text.EndsWith(String(arguments, 0, line), StringComparison.Ordinal),
        (string text, "split") => (arguments, line) => Split(text, arguments, line),
        (string text, "replace") => (arguments, line) => Replace(text, arguments, line),
        (string text, "upper") => (_, _) => text.ToUpperInvariant(),
        (string text, "lower") => (_, _) => text.ToLowerInvariant(),
        (Dictionary<string, object?> dictionary, "items") => (_, line) => Pairs(dictionary),
        (Dictionary<string, object?> dictionary, "keys") => (_, _) => dictionary.Keys.Cast<object?>().ToList(),
        (Dictionary<string, object?> dictionary, "values") => (_, _) => dictionary.Values.ToList(),
        (Dictionary<string, object?> dictionary, "get") => (arguments, line) =>
            dictionary.TryGetValue(String(arguments, 0, line), out var item) ? item : arguments.Positional.ElementAtOrDefault(1),
        _ => null,
    };

    private object? Apply(Filter filter, object? value, Values arguments)
    {
        var line = filter.Line;
        Spend(line, value is string long_ ? long_.Length / CharactersPerStep : 0);
        return filter.Name switch
        {
            "trim" => Strip(Text(value), arguments, line, left: true, right: true),
            "tojson" => Json(value, Indent(arguments, line)),
            "length" or "count" => (long)(value is string text ? Characters(text).Count : Iterate(value, line).Count),
            "upper" => Text(value).ToUpperInvariant(),
            "lower" => Text(value).ToLowerInvariant(),
            "string" => Text(value),
            "list" => Iterate(value, line).ToList(),
            "first" => Iterate(value, line) is [var first, ..] ? first : new Undefined("first"),
            "last" => Iterate(value, line) is [.., var last] ? last : new Undefined("last"),
            "join" => Join(Iterate(value, line), arguments.Positional.Count > 0 ? String(arguments, 0, line) : "", line),
            "items" => value is Dictionary<string, object?> dictionary
                ? Pairs(dictionary)
                : throw Error(line, $"{KindOf(value)} has no items", "a mapping"),
            "replace" => Replace(Text(value), arguments, line),
            "default" or "d" => value is Undefined || (IsTrue(Optional(arguments, 1, "boolean")) && !IsTrue(value))
                ? Optional(arguments, 0, "default_value") ?? ""
                : value,
            "int" => value switch
            {
                long n => n,
                bool b => b ? 1L : 0L,
                double n when Math.Abs(n) < long.MaxValue => (long)n,
                string text when long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var n) => n,
                _ => 0L,
            },
            "safe" => value,
            _ => throw Error(
                line, $"the filter '{Tokenizers.TokenizerJson.Excerpt(filter.Name)}' is not supported",
                "trim, tojson, length, join, default or another of the simple ones"),
        };
    }

    private object Holds(Test test, object? value, Values arguments) => test.Name switch
    {
        "defined" => value is not Undefined,
        "undefined" => value is Undefined,
        "none" => value is null,
        "string" => value is string,
        "mapping" => value is Dictionary<string, object?>,
        "sequence" or "iterable" => value is string or List<object?> or Dictionary<string, object?>,
        "number" => Number(value) is not null,
        "integer" => value is long,
        "float" => value is double,
        "boolean" => value is bool,
        "true" => value is true,
        "false" => value is false,
        "callable" => value is Function,
        "odd" => Number(value) is { } n && Math.Abs(n % 2) == 1,
        "even" => Number(value) is { } n && n % 2 == 0,
        "divisibleby" => Number(value) is { } n && Number(arguments.Positional.FirstOrDefault()) is { } by && by != 0 && n % by == 0,
        "equalto" or "eq" => AreEqual(value, arguments.Positional.FirstOrDefault()),
        "in" => Contains(arguments.Positional.FirstOrDefault(), value, test.Line),
        _ => throw Error(
            test.Line, $"the test '{Tokenizers.TokenizerJson.Excerpt(test.Name)}' is not supported",
            "defined, none, string, mapping or another of the simple ones"),
    };

    private object Strip(string text, Values arguments, int line, bool left, bool right)
    {
        Spend(line, text.Length / CharactersPerStep);
        var characters = arguments.Positional.Count > 0 && arguments.Positional[0] is not null
            ? String(arguments, 0, line).ToCharArray()
            : null;
        var trimmed = !left ? text : characters is null ? text.TrimStart() : text.TrimStart(characters);
        return !right ? trimmed : characters is null ? trimmed.TrimEnd() : trimmed.TrimEnd(characters);
    }

    private List<object?> Split(string text, Values arguments, int line)
    {
        Spend(line, text.Length);
        var most = Optional(arguments, 1, "maxsplit") is long n and >= 0 and < int.MaxValue ? (int)n + 1 : int.MaxValue;
        if (arguments.Positional.Count > 0 && arguments.Positional[0] is not null)
        {
            var separator = String(arguments, 0, line);
            return separator.Length > 0
                ? [.. text.Split(separator, most)]
                : throw Error(line, "a string is split at nothing", "a separator");
        }

        return most == int.MaxValue
            ? [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)]
            : throw Error(line, "maxsplit is given without a separator", "a separator");
    }

    private string Replace(string text, Values arguments, int line)
    {
        var (old, replacement) = (String(arguments, 0, line), String(arguments, 1, line));
        if (old.Length == 0 || arguments.Positional.Count > 2)
        {
            throw Error(line, "replace is asked for an empty string or a number of times", "replace(old, new)");
        }

        // Before it is done, since it may multiply the text.
        Spend(line, (text.Length + (long)text.AsSpan().Count(old) * replacement.Length) / CharactersPerStep);
        return text.Replace(old, replacement, StringComparison.Ordinal);
    }

    private string Join(List<object?> items, string separator, int line)
    {
        var texts = items.Select(item => Text(item)).ToList();
        Spend(line, (texts.Sum(text => (long)text.Length) + (long)separator.Length * texts.Count) / CharactersPerStep);
        return string.Join(separator, texts);
    }

    private static List<object?> Pairs(Dictionary<string, object?> dictionary) =>
        [.. dictionary.Select(item => new List<object?> { item.Key, item.Value })];

    private int? Indent(Values arguments, int line) => Optional(arguments, 0, "indent") switch
    {
        null => null,
        long n and >= 0 and <= WidestIndent => (int)n,
        _ => throw Error(line, "tojson has an indent that is not supported", $"0 to {WidestIndent} spaces"),
    };

    private string String(Values arguments, int index, int line) => arguments.Positional.ElementAtOrDefault(index) switch
    {
        string text => text,
        var other => throw Error(line, $"an argument is {KindOf(other)}", "a string"),
    };

    private static object? Optional(Values arguments, int index, string name) =>
        arguments.Named.TryGetValue(name, out var value) ? value : arguments.Positional.ElementAtOrDefault(index);
}
