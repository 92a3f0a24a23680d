using System.Text;

namespace TemporalServer.Visibility;

internal enum FilterTokenKind
{
    End,
    Name,
    Text,
    Number,
    Symbol,
}

internal readonly record struct FilterToken(FilterTokenKind Kind, string Value, int Position)
{
    public bool Is(string keyword) => Kind == FilterTokenKind.Name && Value.Equals(keyword, StringComparison.OrdinalIgnoreCase);

    public bool IsSymbol(string symbol) => Kind == FilterTokenKind.Symbol && Value == symbol;
}

/// <summary>Cuts a list filter into names, texts, numbers and symbols.</summary>
internal static class FilterLexer
{
    /// <exception cref="RpcError">INVALID_ARGUMENT with the position of the text that is not a token.</exception>
    public static List<FilterToken> Read(string filter)
    {
        var tokens = new List<FilterToken>();
        var i = 0;
        while (i < filter.Length)
        {
            var c = filter[i];
            var start = i;
            if (char.IsWhiteSpace(c))
            {
                i++;
            }
            else if (c is '\'' or '"')
            {
                tokens.Add(new(FilterTokenKind.Text, ReadQuoted(filter, ref i), start));
            }
            else if (c == '`')
            {
                tokens.Add(new(FilterTokenKind.Name, ReadQuoted(filter, ref i), start));
            }
            else if (char.IsAsciiLetter(c) || c == '_')
            {
                while (i < filter.Length && (char.IsAsciiLetterOrDigit(filter[i]) || filter[i] is '_' or '.' or '-'))
                {
                    i++;
                }

                tokens.Add(new(FilterTokenKind.Name, filter[start..i], start));
            }
            else if (char.IsAsciiDigit(c) || (c is '-' or '+' && i + 1 < filter.Length && char.IsAsciiDigit(filter[i + 1])))
            {
                i++;
                while (i < filter.Length && (char.IsAsciiDigit(filter[i]) || filter[i] is '.' or 'e' or 'E'))
                {
                    i++;
                }

                tokens.Add(new(FilterTokenKind.Number, filter[start..i], start));
            }
            else
            {
                tokens.Add(new(FilterTokenKind.Symbol, ReadSymbol(filter, ref i), start));
            }
        }

        tokens.Add(new(FilterTokenKind.End, "end of the query", filter.Length));
        return tokens;
    }

    private static string ReadQuoted(string filter, ref int i)
    {
        var quote = filter[i];
        var start = i++;
        var text = new StringBuilder();
        while (i < filter.Length)
        {
            if (filter[i] == '\\' && i + 1 < filter.Length)
            {
                text.Append(filter[i + 1]);
                i += 2;
            }
            else if (filter[i] != quote)
            {
                text.Append(filter[i++]);
            }
            else if (i + 1 < filter.Length && filter[i + 1] == quote)
            {
                text.Append(quote);
                i += 2;
            }
            else
            {
                i++;
                return text.ToString();
            }
        }

        throw RpcError.InvalidArgument($"invalid query: no closing {quote} for the one at position {start}");
    }

    private static string ReadSymbol(string filter, ref int i)
    {
        var two = filter.Substring(i, Math.Min(2, filter.Length - i));
        if (two is "!=" or "<>" or "<=" or ">=")
        {
            i += 2;
            return two == "<>" ? "!=" : two;
        }

        var c = filter[i];
        if (c is '=' or '<' or '>' or '(' or ')' or ',')
        {
            i++;
            return c.ToString();
        }

        throw RpcError.InvalidArgument($"invalid query: unexpected '{c}' at position {i}");
    }
}
