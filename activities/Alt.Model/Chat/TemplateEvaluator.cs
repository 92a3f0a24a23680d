using System.Text;
using Alt.Domain;
using static Alt.Model.Chat.TemplateValue;

namespace Alt.Model.Chat;

/// <summary>Runs a template once.</summary>
/// <param name="budget">
/// How many values it may compute, a long string counting for more: an untrusted template must not run or grow without end.
/// </param>
internal sealed partial class TemplateEvaluator(string source, Dictionary<string, object?> globals, long budget)
{
    private const int CharactersPerStep = 8, DeepestValue = 100;

    private readonly StringBuilder _output = new();
    private readonly List<Dictionary<string, object?>> _scopes = [globals];
    private long _left = budget;

    private enum Flow { Next, Break, Continue }

    /// <exception cref="InputException">The template raises an exception, asks for what is not supported, or does not end.</exception>
    public string Run(IReadOnlyList<Statement> template)
    {
        Run(template, _output);
        return _output.ToString();
    }

    private Flow Run(IReadOnlyList<Statement> body, StringBuilder output)
    {
        foreach (var statement in body)
        {
            if (Run(statement, output) is not Flow.Next and var flow)
            {
                return flow;
            }
        }

        return Flow.Next;
    }

    private Flow Run(Statement statement, StringBuilder output)
    {
        Spend(statement.Line, 1);
        switch (statement)
        {
            case Text text:
                Write(text.Line, text.Value, output);
                return Flow.Next;
            case Output shown:
                Write(shown.Line, Text(Evaluate(shown.Value)), output);
                return Flow.Next;
            case If choice:
                return Run(choice.Branches.FirstOrDefault(branch => IsTrue(Evaluate(branch.Test))).Body ?? choice.Else, output);
            case For loop:
                return RunLoop(loop, output);
            case Set { Attribute: { } attribute } set:
                var target = Evaluate(new Variable(set.Line, set.Name)) as Namespace
                    ?? throw Error(set.Line, "only a namespace's member can be set", "{% set ns = namespace() %} before it");
                target.Variables[attribute] = Evaluate(set.Value);
                return Flow.Next;
            case Set set:
                _scopes[^1][set.Name] = Evaluate(set.Value);
                return Flow.Next;
            case SetBlock set:
                var block = new StringBuilder();
                var flow = Run(set.Body, block);
                _scopes[^1][set.Name] = block.ToString();
                return flow;
            case Jump jump:
                return jump.Ends ? Flow.Break : Flow.Continue;
            default:
                throw new InvalidOperationException($"No case for {statement.GetType().Name}.");
        }
    }

    private Flow RunLoop(For loop, StringBuilder output)
    {
        var items = Iterate(Evaluate(loop.Over), loop.Line);
        if (loop.Where is { } where)
        {
            items = [.. items.Where(item => InScope(loop, item, null, () => IsTrue(Evaluate(where))))];
        }

        for (var i = 0; i < items.Count; i++)
        {
            if (InScope(loop, items[i], LoopState(items, i), () => Run(loop.Body, output)) == Flow.Break)
            {
                break;
            }
        }

        return items.Count == 0 ? Run(loop.Else, output) : Flow.Next;
    }

    private static Dictionary<string, object?> LoopState(List<object?> items, int i) => new()
    {
        ["index"] = (long)i + 1,
        ["index0"] = (long)i,
        ["revindex"] = (long)items.Count - i,
        ["revindex0"] = (long)items.Count - i - 1,
        ["first"] = i == 0,
        ["last"] = i == items.Count - 1,
        ["length"] = (long)items.Count,
        ["previtem"] = i > 0 ? items[i - 1] : new Undefined("loop.previtem"),
        ["nextitem"] = i + 1 < items.Count ? items[i + 1] : new Undefined("loop.nextitem"),
    };

    private T InScope<T>(For loop, object? item, Dictionary<string, object?>? state, Func<T> run)
    {
        var scope = new Dictionary<string, object?>();
        if (loop.Names.Count == 1)
        {
            scope[loop.Names[0]] = item;
        }
        else
        {
            var parts = item as List<object?>;
            if (parts?.Count != loop.Names.Count)
            {
                throw Error(
                    loop.Line, $"{KindOf(item)} cannot be taken apart into {loop.Names.Count} variables",
                    "lists of as many values, such as a mapping's items()");
            }

            foreach (var (name, part) in loop.Names.Zip(parts))
            {
                scope[name] = part;
            }
        }

        if (state is not null)
        {
            scope["loop"] = state;
        }

        Spend(loop.Line, 1);
        _scopes.Add(scope);
        var result = run();
        _scopes.RemoveAt(_scopes.Count - 1);
        return result;
    }

    private object? Evaluate(Expression expression)
    {
        Spend(expression.Line, 1);
        return expression switch
        {
            Constant constant => constant.Value,
            Variable variable => Lookup(variable.Name),
            ListLiteral list => Made(list.Items.Select(Evaluate).ToList(), list.Line),
            DictionaryLiteral dictionary => Made(EvaluateDictionary(dictionary), dictionary.Line),
            Member member => MemberOf(Evaluate(member.Of), member.Name, member.Line),
            Item item => ItemOf(Evaluate(item.Of), Evaluate(item.Index), item.Line),
            Slice slice => SliceOf(slice),
            Unary { Operator: "not" } unary => !IsTrue(Evaluate(unary.Operand)),
            Unary unary => Negate(Evaluate(unary.Operand), unary.Line),
            Binary { Operator: "and" } binary => Evaluate(binary.Left) is var left && IsTrue(left) ? Evaluate(binary.Right) : left,
            Binary { Operator: "or" } binary => Evaluate(binary.Left) is var left && IsTrue(left) ? left : Evaluate(binary.Right),
            Binary binary => Operate(binary.Operator, Evaluate(binary.Left), Evaluate(binary.Right), binary.Line),
            Comparison comparison => Compare(comparison),
            Conditional choice => IsTrue(Evaluate(choice.Test)) ? Evaluate(choice.Then)
                : choice.Else is { } otherwise ? Evaluate(otherwise)
                : new Undefined("else"),
            Call call => Evaluate(call.Function) is Function function
                ? function(Evaluate(call.Arguments), call.Line)
                : throw Error(call.Line, $"{NameOf(call.Function)} cannot be called", "a function or a method that is supported"),
            Filter filter => Apply(filter, Evaluate(filter.Of), Evaluate(filter.Arguments)),
            Test test => Holds(test, Evaluate(test.Of), Evaluate(test.Arguments)),
            _ => throw new InvalidOperationException($"No case for {expression.GetType().Name}."),
        };
    }

    private Values Evaluate(Arguments arguments)
    {
        var named = new Dictionary<string, object?>();
        foreach (var (name, value) in arguments.Named)
        {
            named[name] = Evaluate(value);
        }

        return new([.. arguments.Positional.Select(Evaluate)], named);
    }

    private Dictionary<string, object?> EvaluateDictionary(DictionaryLiteral literal)
    {
        var values = new Dictionary<string, object?>();
        foreach (var (key, value) in literal.Items)
        {
            values[Evaluate(key) as string ?? throw Error(key.Line, "a mapping's key is no string", "a string")] = Evaluate(value);
        }

        return values;
    }

    private object? Lookup(string name)
    {
        for (var i = _scopes.Count - 1; i >= 0; i--)
        {
            if (_scopes[i].TryGetValue(name, out var value))
            {
                return value;
            }
        }

        return name switch
        {
            "raise_exception" => (Function)((arguments, line) =>
                throw new InputException(
                    $"{source}, line {line} of the chat template, refuses the messages: {Text(arguments.Positional.FirstOrDefault())}")),
            "namespace" => (Function)((arguments, _) => new Namespace(new Dictionary<string, object?>(arguments.Named))),
            _ => new Undefined(name),
        };
    }

    private List<object?> Iterate(object? value, int line) => value switch
    {
        List<object?> list => list,
        Dictionary<string, object?> dictionary => [.. dictionary.Keys],
        string text => [.. text.EnumerateRunes().Select(character => (object?)character.ToString())],
        Undefined => [],
        _ => throw Error(line, $"{KindOf(value)} cannot be gone through", "a list"),
    };

    private object Compare(Comparison comparison)
    {
        var left = Evaluate(comparison.First);
        foreach (var (name, value) in comparison.Rest)
        {
            var right = Evaluate(value);
            if (!Holds(name, left, right, comparison.Line))
            {
                return false;
            }

            left = right;
        }

        return true;
    }

    private bool Holds(string name, object? left, object? right, int line) => name switch
    {
        "==" => AreEqual(left, right),
        "!=" => !AreEqual(left, right),
        "in" => Contains(right, left, line),
        "not in" => !Contains(right, left, line),
        _ when (Number(left), Number(right)) is ({ } a, { } b) => HasOrder(name, a.CompareTo(b)),
        _ when (left, right) is (string a, string b) => HasOrder(name, string.CompareOrdinal(a, b)),
        _ => throw Error(line, $"{KindOf(left)} and {KindOf(right)} have no order", "two numbers or two strings"),
    };

    private static bool HasOrder(string name, int order) => name switch
    {
        "<" => order < 0,
        "<=" => order <= 0,
        ">" => order > 0,
        _ => order >= 0,
    };

    private bool Contains(object? container, object? value, int line) => (container, value) switch
    {
        (string text, string part) => text.Contains(part, StringComparison.Ordinal),
        (List<object?> list, _) => list.Any(item => AreEqual(item, value)),
        (Dictionary<string, object?> dictionary, string key) => dictionary.ContainsKey(key),
        (Undefined, _) => false,
        _ => throw Error(line, $"{KindOf(value)} cannot be sought in {KindOf(container)}", "a list, a mapping, or a string in a string"),
    };

    private object? Operate(string name, object? left, object? right, int line)
    {
        switch (name, left, right)
        {
            case ("~", _, _):
                return Joined(Text(left), Text(right), line);
            case ("+", string a, string b):
                return Joined(a, b, line);
            case ("+", List<object?> a, List<object?> b):
                return Made(new List<object?>([.. a, .. b]), line);
        }

        if (Number(left) is not { } x || Number(right) is not { } y)
        {
            throw Error(line, $"'{name}' cannot join {KindOf(left)} and {KindOf(right)}", "two numbers, or two strings or lists for '+'");
        }

        if (name is "/" or "//" or "%" && y == 0)
        {
            throw Error(line, $"'{name}' divides by zero", "another number");
        }

        if (name == "/" || left is double || right is double)
        {
            return name switch
            {
                "+" => x + y,
                "-" => x - y,
                "*" => x * y,
                "/" => x / y,
                "//" => Math.Floor(x / y),
                _ =>
                x - Math.Floor(x / y) * y
            };
        }

        try
        {
            var (a, b) = (Convert.ToInt64(left), Convert.ToInt64(right));
            return checked(
                name switch { "+" => a + b, "-" => a - b, "*" => a * b, "//" => FloorDivide(a, b), _ => a - FloorDivide(a, b) * b });
        }
        catch (OverflowException)
        {
            throw Error(line, $"'{name}' gives a number beyond 64 bits", "smaller numbers");
        }
    }

    private static long FloorDivide(long a, long b)
    {
        var quotient = checked(a / b);
        return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
    }

    private object Negate(object? value, int line) => value switch
    {
        long n when n != long.MinValue => (object)-n,
        double n => -n,
        bool b => b ? -1L : 0L,
        _ => throw Error(line, $"{KindOf(value)} has no negative", "a number"),
    };

    private object? MemberOf(object? value, string name, int line) => value switch
    {
        Namespace space => space.Variables.TryGetValue(name, out var variable) ? variable : new Undefined(name),
        Dictionary<string, object?> dictionary when Method(dictionary, name) is not { } =>
            dictionary.TryGetValue(name, out var item) ? item : new Undefined(name),
        Undefined undefined => throw Error(
            line, $"'{Tokenizers.TokenizerJson.Excerpt(undefined.Name)}' is undefined",
            $"something with a member '{Tokenizers.TokenizerJson.Excerpt(name)}'"),
        _ => Method(value, name) ?? (object)new Undefined(name),
    };

    private object? ItemOf(object? value, object? index, int line)
    {
        switch (value, index)
        {
            case (Dictionary<string, object?> dictionary, string key):
                return dictionary.TryGetValue(key, out var item) ? item : new Undefined(key);
            case (Namespace space, string key):
                return space.Variables.TryGetValue(key, out var variable) ? variable : new Undefined(key);
            case (List<object?> list, long at):
                at = at < 0 ? at + list.Count : at;
                return at >= 0 && at < list.Count ? list[(int)at] : new Undefined("item");
            case (string text, long at):
                var characters = Characters(text);
                at = at < 0 ? at + characters.Count : at;
                return at >= 0 && at < characters.Count ? characters[(int)at] : new Undefined("item");
            case (Undefined undefined, _):
                throw Error(line, $"'{Tokenizers.TokenizerJson.Excerpt(undefined.Name)}' is undefined", "a list or a mapping");
            default:
                return index is string name ? MemberOf(value, name, line) : new Undefined("item");
        }
    }

    private object SliceOf(Slice slice)
    {
        var value = Evaluate(slice.Of);
        var items = value is string text ? Characters(text)
            : value as List<object?> ?? throw Error(slice.Line, $"{KindOf(value)} has no parts", "a list or a string");
        Spend(slice.Line, items.Count / CharactersPerStep);
        var step = Bound(slice.Step) ?? 1;
        if (step == 0)
        {
            throw Error(slice.Line, "a slice has a step of 0", "another step");
        }

        var (low, high) = step > 0 ? (0L, (long)items.Count) : (-1L, items.Count - 1L);
        var start = Clamp(Bound(slice.Start), step > 0 ? low : high);
        var stop = Clamp(Bound(slice.Stop), step > 0 ? high : low);
        var part = new List<object?>();
        for (var at = start; step > 0 ? at < stop : at > stop; at += Math.Clamp(step, -items.Count - 1, items.Count + 1))
        {
            part.Add(items[(int)at]);
        }

        return value is string ? string.Concat(part.Cast<string>()) : part;

        long Clamp(long? bound, long absent) =>
            bound is not { } b ? absent : Math.Clamp(b < 0 ? Math.Max(b, -items.Count - 1L) + items.Count : b, low, high);

        long? Bound(Expression? expression) => expression is null ? null : Evaluate(expression) switch
        {
            null => null,
            long n => n,
            var other => throw Error(slice.Line, $"a slice is bounded by {KindOf(other)}", "whole numbers"),
        };
    }

    private List<object?> Characters(string text)
    {
        Spend(1, text.Length);
        return [.. text.EnumerateRunes().Select(character => (object?)character.ToString())];
    }

    private string Joined(string a, string b, int line)
    {
        Spend(line, (a.Length + b.Length) / CharactersPerStep);
        return a + b;
    }

    // A value of values counts with all that is in it, since it may be written out, compared or put into another one next.
    private T Made<T>(T value, int line)
    {
        Weigh(value, 0);
        return value;

        void Weigh(object? part, int depth)
        {
            if (depth > DeepestValue)
            {
                throw Error(line, $"more than {DeepestValue} values stand in one another", "fewer");
            }

            Spend(line, part is string text ? text.Length / CharactersPerStep : 1);
            foreach (var inner in part switch
            {
                List<object?> list => list,
                Dictionary<string, object?> dictionary => dictionary.Values,
                _ => (IEnumerable<object?>)[]
            })
            {
                Weigh(inner, depth + 1);
            }
        }
    }

    private void Write(int line, string text, StringBuilder output)
    {
        Spend(line, text.Length / CharactersPerStep);
        output.Append(text);
    }

    private void Spend(int line, long steps)
    {
        _left -= steps;
        if (_left < 0)
        {
            throw Error(line, "the template takes too long for so few messages", "one that goes through them a few times");
        }
    }

    private static string NameOf(Expression function) => function switch
    {
        Variable variable => $"'{Tokenizers.TokenizerJson.Excerpt(variable.Name)}'",
        Member member => $"'.{Tokenizers.TokenizerJson.Excerpt(member.Name)}'",
        _ => "a value",
    };

    private InputException Error(int line, string what, string expected) => TemplateError.At(source, line, what, expected);
}
