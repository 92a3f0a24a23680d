using System.Globalization;
using Alt.Domain;

namespace Alt.Model.Chat;

/// <summary>Jinja's grammar, of statements those that chat templates use.</summary>
internal sealed class TemplateParser(List<TemplateToken> tokens, string source)
{
    // Far beyond any template, and far from the end of the stack.
    private const int DeepestNesting = 100, LongestChain = 500;

    private static readonly string[] Comparisons = ["==", "!=", "<", "<=", ">", ">="];
    private static readonly Arguments None = new([], []);

    private int _at;
    private int _depth;

    private TemplateToken Current => tokens[_at];

    /// <exception cref="InputException">The template is malformed or has a statement that is not supported.</exception>
    public static IReadOnlyList<Statement> Parse(string template, string source)
    {
        var parser = new TemplateParser(TemplateLexer.Read(template, source), source);
        var body = parser.Body();
        return parser.Current.Kind == TokenKind.End ? body : throw parser.Unexpected("a tag that belongs to an open one");
    }

    // Up to a tag that is none of a statement's own, which stays.
    private List<Statement> Body()
    {
        var body = new List<Statement>();
        while (true)
        {
            var token = Current;
            if (token.Kind == TokenKind.Text)
            {
                _at++;
                body.Add(new Text(token.Line, token.Value));
            }
            else if (token.Kind == TokenKind.OutputStart)
            {
                _at++;
                body.Add(new Output(token.Line, Tuple()));
                Expect(TokenKind.OutputEnd, "}}");
            }
            else if (token.Kind == TokenKind.TagStart && !IsClosing(tokens[_at + 1]))
            {
                _at++;
                body.AddRange(Nested(ReadStatement));
            }
            else
            {
                return body;
            }
        }
    }

    private static bool IsClosing(TemplateToken name) =>
        name.Kind == TokenKind.Name && name.Value is "elif" or "else" or "endif" or "endfor" or "endset" or "endgeneration";

    private IReadOnlyList<Statement> ReadStatement()
    {
        var (line, name) = (Current.Line, Expect(TokenKind.Name, "a statement"));
        switch (name)
        {
            case "if":
                return [ReadIf(line)];
            case "for":
                return [ReadFor(line)];
            case "set":
                return [ReadSet(line)];
            case "break" or "continue":
                EndTag();
                return [new Jump(line, name == "break")];
            case "generation":
                // transformers' mark around what the model itself is to say.
                EndTag();
                var body = Body();
                Closing("endgeneration");
                return body;
            default:
                throw Error(
                    line, $"the statement '{Tokenizers.TokenizerJson.Excerpt(name)}' is not supported",
                    "if, for, set, break, continue or generation");
        }
    }

    private If ReadIf(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        IReadOnlyList<Statement> otherwise = [];
        do
        {
            var test = Tuple();
            EndTag();
            branches.Add((test, Body()));
        }
        while (Tag("elif"));

        if (Tag("else"))
        {
            EndTag();
            otherwise = Body();
        }

        Closing("endif");
        return new If(line, branches, otherwise);
    }

    private For ReadFor(int line)
    {
        var names = new List<string> { Expect(TokenKind.Name, "a loop's variable") };
        while (Take(TokenKind.Operator, ","))
        {
            names.Add(Expect(TokenKind.Name, "a loop's variable"));
        }

        if (!Take(TokenKind.Name, "in"))
        {
            throw Unexpected("'in'");
        }

        var over = Or();
        var where = Take(TokenKind.Name, "if") ? Ternary() : null;
        EndTag();
        var body = Body();
        IReadOnlyList<Statement> otherwise = [];
        if (Tag("else"))
        {
            EndTag();
            otherwise = Body();
        }

        Closing("endfor");
        return new For(line, names, over, where, body, otherwise);
    }

    private Statement ReadSet(int line)
    {
        var name = Expect(TokenKind.Name, "a variable");
        var attribute = Take(TokenKind.Operator, ".") ? Expect(TokenKind.Name, "a namespace's variable") : null;
        if (Take(TokenKind.Operator, "="))
        {
            var value = Tuple();
            EndTag();
            return new Set(line, name, attribute, value);
        }

        if (attribute is not null)
        {
            throw Unexpected("'='");
        }

        EndTag();
        var body = Body();
        Closing("endset");
        return new SetBlock(line, name, body);
    }

    private Expression Tuple()
    {
        var first = Ternary();
        return Current.Is(TokenKind.Operator, ",")
            ? throw Error(Current.Line, "a tuple is not supported", "one value, or a list in brackets")
            : first;
    }

    private Expression Ternary() => Nested(() =>
    {
        var value = Or();
        for (var chain = 0; Take(TokenKind.Name, "if"); Count(ref chain))
        {
            var test = Or();
            value = new Conditional(test.Line, test, value, Take(TokenKind.Name, "else") ? Ternary() : null);
        }

        return value;
    });

    private Expression Or() => Chain(And, TokenKind.Name, "or");

    private Expression And() => Chain(Not, TokenKind.Name, "and");

    private Expression Not()
    {
        var line = Current.Line;
        return Take(TokenKind.Name, "not") ? Nested(() => new Unary(line, "not", Not())) : Compare();
    }

    private Expression Compare()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (Current.Kind == TokenKind.Operator && Comparisons.Contains(Current.Value))
            {
                rest.Add((tokens[_at++].Value, Sum()));
            }
            else if (Take(TokenKind.Name, "in"))
            {
                rest.Add(("in", Sum()));
            }
            else if (Current.Is(TokenKind.Name, "not") && tokens[_at + 1].Is(TokenKind.Name, "in"))
            {
                _at += 2;
                rest.Add(("not in", Sum()));
            }
            else
            {
                return rest.Count == 0 ? first : new Comparison(first.Line, first, rest);
            }
        }
    }

    private Expression Sum() => Chain(Concatenation, TokenKind.Operator, "+", "-");

    private Expression Concatenation() => Chain(Product, TokenKind.Operator, "~");

    private Expression Product() => Chain(() => Signed(), TokenKind.Operator, "*", "/", "//", "%");

    private Expression Signed(bool withFilter = true)
    {
        var line = Current.Line;
        var value = Take(TokenKind.Operator, "-") ? new Unary(line, "-", Nested(() => Signed(withFilter: false)))
            : Take(TokenKind.Operator, "+") ? Nested(() => Signed(withFilter: false))
            : Primary();
        value = Postfix(value);
        return withFilter ? Filters(value) : value;
    }

    private Expression Primary()
    {
        var token = Current;
        _at++;
        switch (token.Kind)
        {
            case TokenKind.String:
                var text = token.Value;
                while (Current.Kind == TokenKind.String)
                {
                    text += tokens[_at++].Value;
                }

                return new Constant(token.Line, text);
            case TokenKind.Integer when long.TryParse(
                token.Value.Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var whole):
                return new Constant(token.Line, whole);
            case TokenKind.Float when double.TryParse(
                token.Value.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var real):
                return new Constant(token.Line, real);
            case TokenKind.Name:
                return token.Value switch
                {
                    "true" or "True" => new Constant(token.Line, true),
                    "false" or "False" => new Constant(token.Line, false),
                    "none" or "None" => new Constant(token.Line, null),
                    _ => new Variable(token.Line, token.Value),
                };
            case TokenKind.Operator when token.Value == "(":
                var inner = Tuple();
                Close(")");
                return inner;
            case TokenKind.Operator when token.Value == "[":
                return new ListLiteral(token.Line, Items("]", Ternary));
            case TokenKind.Operator when token.Value == "{":
                return new DictionaryLiteral(token.Line, Items("}", () =>
                {
                    var key = Ternary();
                    Close(":");
                    return (key, Ternary());
                }));
            default:
                _at--;
                throw Unexpected("a value");
        }
    }

    private Expression Postfix(Expression value)
    {
        for (var chain = 0; ; Count(ref chain))
        {
            var line = Current.Line;
            if (Take(TokenKind.Operator, "."))
            {
                value = new Member(line, value, Expect(TokenKind.Name, "a member's name"));
            }
            else if (Take(TokenKind.Operator, "["))
            {
                value = Subscript(line, value);
            }
            else if (Take(TokenKind.Operator, "("))
            {
                value = new Call(line, value, ReadArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private Expression Subscript(int line, Expression of)
    {
        var parts = new Expression?[3];
        var part = 0;
        while (!Take(TokenKind.Operator, "]"))
        {
            if (Take(TokenKind.Operator, ":") && ++part < 3)
            {
                continue;
            }

            if (part >= 3 || parts[part] is not null)
            {
                throw Unexpected("]");
            }

            parts[part] = Ternary();
        }

        return part > 0 ? new Slice(line, of, parts[0], parts[1], parts[2])
            : parts[0] is { } index ? new Item(line, of, index)
            : throw Error(line, "an index is missing", "a value in the brackets");
    }

    private Expression Filters(Expression value)
    {
        for (var chain = 0; ; Count(ref chain))
        {
            var line = Current.Line;
            if (Take(TokenKind.Operator, "|"))
            {
                var name = Expect(TokenKind.Name, "a filter");
                value = new Filter(line, value, name, Take(TokenKind.Operator, "(") ? ReadArguments() : None);
            }
            else if (Take(TokenKind.Name, "is"))
            {
                var isNegated = Take(TokenKind.Name, "not");
                var name = Expect(TokenKind.Name, "a test");
                value = new Test(line, value, name, TestArguments());
                value = isNegated ? new Unary(line, "not", value) : value;
            }
            else
            {
                return value;
            }
        }
    }

    // A test's one argument needs no parentheses.
    private Arguments TestArguments() =>
        Take(TokenKind.Operator, "(") ? ReadArguments()
        : Current.Kind is TokenKind.String or TokenKind.Integer or TokenKind.Float
            || (Current.Kind == TokenKind.Name && Current.Value is not ("else" or "or" or "and" or "is" or "if" or "in" or "not"))
                ? new([Postfix(Primary())], [])
            : None;

    private Arguments ReadArguments()
    {
        var named = new List<(string, Expression)>();
        var positional = new List<Expression>();
        foreach (var (name, value) in Items(")", ReadArgument))
        {
            if (name is not null)
            {
                named.Add((name, value));
            }
            else
            {
                positional.Add(value);
            }
        }

        return new(positional, named);

        (string? Name, Expression Value) ReadArgument()
        {
            if (Current.Kind != TokenKind.Name || !tokens[_at + 1].Is(TokenKind.Operator, "="))
            {
                return (null, Ternary());
            }

            var name = Current.Value;
            _at += 2;
            return (name, Ternary());
        }
    }

    private List<T> Items<T>(string close, Func<T> read)
    {
        var items = new List<T>();
        while (!Take(TokenKind.Operator, close))
        {
            if (items.Count > 0)
            {
                Close(",");
                if (Take(TokenKind.Operator, close))
                {
                    break;
                }
            }

            items.Add(read());
        }

        return items;
    }

    private Expression Chain(Func<Expression> operand, TokenKind kind, params string[] operators)
    {
        var value = operand();
        for (var chain = 0; Current.Kind == kind && operators.Contains(Current.Value); Count(ref chain))
        {
            var found = tokens[_at++];
            value = new Binary(found.Line, found.Value, value, operand());
        }

        return value;
    }

    private void Count(ref int chain)
    {
        if (++chain > LongestChain)
        {
            throw Error(Current.Line, $"an expression has more than {LongestChain} parts", "a shorter one");
        }
    }

    private T Nested<T>(Func<T> read)
    {
        if (++_depth > DeepestNesting)
        {
            throw Error(Current.Line, $"more than {DeepestNesting} levels stand in one another", "fewer");
        }

        var value = read();
        _depth--;
        return value;
    }

    private bool Tag(string name)
    {
        if (Current.Kind != TokenKind.TagStart || !tokens[_at + 1].Is(TokenKind.Name, name))
        {
            return false;
        }

        _at += 2;
        return true;
    }

    private void Closing(string name)
    {
        if (!Tag(name))
        {
            throw Unexpected($"{{% {name} %}}");
        }

        EndTag();
    }

    private void EndTag() => Expect(TokenKind.TagEnd, "%}");

    private void Close(string mark)
    {
        if (!Take(TokenKind.Operator, mark))
        {
            throw Unexpected($"'{mark}'");
        }
    }

    private bool Take(TokenKind kind, string value)
    {
        var found = Current.Is(kind, value);
        _at += found ? 1 : 0;
        return found;
    }

    private string Expect(TokenKind kind, string expected) => Current.Kind == kind ? tokens[_at++].Value : throw Unexpected(expected);

    private InputException Unexpected(string expected) => Error(
        Current.Line,
        Current.Kind == TokenKind.TagStart ? $"the tag {tokens[_at + 1]} stands there"
            : Current.Kind is TokenKind.TagEnd or TokenKind.OutputEnd ? "the tag ends there"
            : $"{Current} stands there",
        expected);

    private InputException Error(int line, string what, string expected) => TemplateError.At(source, line, what, expected);
}
