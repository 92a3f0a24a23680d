using Npgsql;
using NpgsqlTypes;
using Temporalio.Api.Enums.V1;

namespace TemporalServer.Visibility;

/// <summary>
/// A list filter as SQL. The grammar is Temporal's: comparisons (<c>= != &lt; &lt;= &gt; &gt;=</c>, <c>[NOT] BETWEEN</c>, <c>[NOT] IN</c>,
/// <c>[NOT] STARTS_WITH</c>, <c>IS [NOT] NULL</c>) joined by <c>AND</c>, <c>OR</c>, <c>NOT</c> and parentheses, then optionally
/// <c>ORDER BY</c> or <c>GROUP BY</c>. Values become parameters.
/// </summary>
internal sealed class Filter
{
    private readonly List<FilterToken> _tokens;
    private readonly IReadOnlyDictionary<string, IndexedValueType> _attributes;
    private readonly List<NpgsqlParameter> _parameters;
    private int _position;

    private Filter(string text, IReadOnlyDictionary<string, IndexedValueType> attributes, List<NpgsqlParameter> parameters)
    {
        _tokens = FilterLexer.Read(text);
        _attributes = attributes;
        _parameters = parameters;
        Condition = AtClauseOrEnd() ? "TRUE" : Or();
        if (TryTake("ORDER"))
        {
            Take("BY");
            OrderBy = string.Join(", ", OrderTerms());
        }

        if (TryTake("GROUP"))
        {
            Take("BY");
            GroupBy = Field();
        }

        if (Next.Kind != FilterTokenKind.End)
        {
            throw Unexpected();
        }
    }

    /// <summary>A boolean SQL expression.</summary>
    public string Condition { get; }

    /// <summary>SQL of the ORDER BY clause, or null.</summary>
    public string? OrderBy { get; }

    public FilterField? GroupBy { get; }

    /// <param name="parameters">Receives the values; the SQL refers to them by number, continuing after those already in it.</param>
    /// <exception cref="RpcError">INVALID_ARGUMENT with what is wrong and where.</exception>
    public static Filter Parse(string text, IReadOnlyDictionary<string, IndexedValueType> attributes, List<NpgsqlParameter> parameters) =>
        new(text, attributes, parameters);

    private FilterToken Next => _tokens[_position];

    private string Or()
    {
        var sql = And();
        while (TryTake("OR"))
        {
            sql = $"({sql} OR {And()})";
        }

        return sql;
    }

    private string And()
    {
        var sql = Not();
        while (TryTake("AND"))
        {
            sql = $"({sql} AND {Not()})";
        }

        return sql;
    }

    private string Not()
    {
        if (TryTake("NOT"))
        {
            return $"(NOT coalesce({Not()}, FALSE))";
        }

        if (!TryTakeSymbol("("))
        {
            return Comparison();
        }

        var sql = Or();
        TakeSymbol(")");
        return sql;
    }

    private string Comparison()
    {
        var field = Field();
        if (TryTake("IS"))
        {
            var not = TryTake("NOT");
            Take("NULL");
            return $"({field.Sql} IS {(not ? "NOT " : "")}NULL)";
        }

        if (Next.Kind == FilterTokenKind.Symbol)
        {
            return Compare(field, _tokens[_position++]);
        }

        var negated = TryTake("NOT");
        string sql;
        if (TryTake("BETWEEN"))
        {
            var low = Parameter(field.Convert(Literal()));
            Take("AND");
            sql = $"({field.Sql} BETWEEN {low} AND {Parameter(field.Convert(Literal()))})";
        }
        else if (TryTake("IN"))
        {
            sql = In(field);
        }
        else if (TryTake("STARTS_WITH"))
        {
            sql = $"(starts_with({field.Sql}, {Parameter(new(Literal().Value, NpgsqlDbType.Text))}))";
        }
        else
        {
            throw Unexpected();
        }

        return negated ? $"(NOT coalesce({sql}, FALSE))" : sql;
    }

    private string In(FilterField field)
    {
        TakeSymbol("(");
        var choices = new List<string>();
        do
        {
            choices.Add(Equal(field, Literal()));
        }
        while (TryTakeSymbol(","));
        TakeSymbol(")");
        return $"({string.Join(" OR ", choices)})";
    }

    private string Compare(FilterField field, FilterToken symbol) => symbol.Value switch
    {
        "=" => Equal(field, Literal()),
        "!=" => $"(NOT coalesce({Equal(field, Literal())}, FALSE))",
        "<" or "<=" or ">" or ">=" => $"({field.Sql} {symbol.Value} {Parameter(field.Convert(Literal()))})",
        _ => throw RpcError.InvalidArgument($"invalid query: unexpected '{symbol.Value}' at position {symbol.Position}"),
    };

    private string Equal(FilterField field, FilterToken literal)
    {
        var value = field.Convert(literal);
        if (!field.Attribute || value.Value is not string text)
        {
            return $"({field.Sql} = {Parameter(value)})";
        }

        // Containment, for the index; a list equals a value that it holds.
        (var single, var inList) = field.Documents(text);
        return $"(search_attributes @> {Parameter(new(single, NpgsqlDbType.Jsonb))} OR search_attributes @> "
            + $"{Parameter(new(inList, NpgsqlDbType.Jsonb))})";
    }

    private IEnumerable<string> OrderTerms()
    {
        do
        {
            var field = Field();
            var direction = TryTake("DESC") ? "DESC" : "ASC";
            if (direction == "ASC")
            {
                TryTake("ASC");
            }

            yield return $"{field.Sql} {direction}";
        }
        while (TryTakeSymbol(","));
    }

    private FilterField Field()
    {
        if (Next.Kind != FilterTokenKind.Name)
        {
            throw Unexpected();
        }

        return FilterField.Find(_tokens[_position++].Value, _attributes);
    }

    private FilterToken Literal()
    {
        var token = Next;
        if (token.Kind is FilterTokenKind.Text or FilterTokenKind.Number || token.Is("true") || token.Is("false"))
        {
            _position++;
            return token;
        }

        throw Unexpected();
    }

    private string Parameter(SqlValue value)
    {
        _parameters.Add(new NpgsqlParameter { Value = value.Value, NpgsqlDbType = value.Type });
        return $"${_parameters.Count}";
    }

    private bool AtClauseOrEnd() => Next.Kind == FilterTokenKind.End || Next.Is("ORDER") || Next.Is("GROUP");

    private bool TryTake(string keyword)
    {
        var there = Next.Is(keyword);
        _position += there ? 1 : 0;
        return there;
    }

    private bool TryTakeSymbol(string symbol)
    {
        var there = Next.IsSymbol(symbol);
        _position += there ? 1 : 0;
        return there;
    }

    private void Take(string keyword)
    {
        if (!TryTake(keyword))
        {
            throw Unexpected();
        }
    }

    private void TakeSymbol(string symbol)
    {
        if (!TryTakeSymbol(symbol))
        {
            throw Unexpected();
        }
    }

    private RpcError Unexpected() => RpcError.InvalidArgument($"invalid query: unexpected {Next.Value} at position {Next.Position}");
}
