namespace Alt.Model.Chat;

/// <summary>What yields a value.</summary>
internal abstract record Expression(int Line);

internal sealed record Constant(int Line, object? Value) : Expression(Line);

internal sealed record Variable(int Line, string Name) : Expression(Line);

internal sealed record ListLiteral(int Line, IReadOnlyList<Expression> Items) : Expression(Line);

internal sealed record DictionaryLiteral(int Line, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Line);

internal sealed record Member(int Line, Expression Of, string Name) : Expression(Line);

internal sealed record Item(int Line, Expression Of, Expression Index) : Expression(Line);

internal sealed record Slice(int Line, Expression Of, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

internal sealed record Unary(int Line, string Operator, Expression Operand) : Expression(Line);

internal sealed record Binary(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

/// <summary>a &lt; b &lt; c, of which each neighbour must hold.</summary>
internal sealed record Comparison(int Line, Expression First, IReadOnlyList<(string Operator, Expression Value)> Rest) : Expression(Line);

internal sealed record Conditional(int Line, Expression Test, Expression Then, Expression? Else) : Expression(Line);

internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named);

internal sealed record Call(int Line, Expression Function, Arguments Arguments) : Expression(Line);

internal sealed record Filter(int Line, Expression Of, string Name, Arguments Arguments) : Expression(Line);

internal sealed record Test(int Line, Expression Of, string Name, Arguments Arguments) : Expression(Line);

/// <summary>What writes text or sets a variable.</summary>
internal abstract record Statement(int Line);

internal sealed record Text(int Line, string Value) : Statement(Line);

internal sealed record Output(int Line, Expression Value) : Statement(Line);

internal sealed record If(
    int Line, IReadOnlyList<(Expression Test, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else) : Statement(Line);

internal sealed record For(
    int Line, IReadOnlyList<string> Names, Expression Over, Expression? Where, IReadOnlyList<Statement> Body,
    IReadOnlyList<Statement> Else) : Statement(Line);

/// <param name="Name">The variable, or the namespace of which <paramref name="Attribute"/> is set.</param>
internal sealed record Set(int Line, string Name, string? Attribute, Expression Value) : Statement(Line);

internal sealed record SetBlock(int Line, string Name, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record Jump(int Line, bool Ends) : Statement(Line);
