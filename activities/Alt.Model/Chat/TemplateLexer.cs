using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Alt.Model.Chat;

/// <summary>
/// Cuts a template into text and the tokens of its tags, with white space taken away as Jinja's trim_blocks and lstrip_blocks have it.
/// </summary>
internal sealed partial class TemplateLexer
{
    private static readonly string[] Operators =
        [
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".", ":", "|",
            ",", ";"
        ];

    private readonly string _source;
    private readonly string _text;
    private readonly List<TemplateToken> _tokens = [];
    private int _at;
    private int _line = 1;

    private TemplateLexer(string text, string source)
    {
        var lines = text.ReplaceLineEndings("\n");
        (_text, _source) = (lines.EndsWith('\n') ? lines[..^1] : lines, source);
    }

    /// <param name="source">Where the template is from, for errors.</param>
    /// <exception cref="Alt.Domain.InputException">A tag is not closed, or holds what is no token.</exception>
    public static List<TemplateToken> Read(string text, string source)
    {
        var lexer = new TemplateLexer(text, source);
        lexer.Read();
        return lexer._tokens;
    }

    private void Read()
    {
        var startsLine = true;
        while (_at < _text.Length)
        {
            var tag = NextTag();
            var text = _text[_at..tag];
            var kind = tag < _text.Length ? _text[tag + 1] : '\0';
            var sign = tag + 2 < _text.Length ? _text[tag + 2] : '\0';
            Add(
                TokenKind.Text,
                kind == '\0' ? text : sign == '-' ? text.TrimEnd() : kind == '{' || sign == '+' ? text : WithoutIndent(text, startsLine));
            Advance(tag);
            if (kind == '\0')
            {
                break;
            }

            Advance(tag + (sign is '-' || (sign is '+' && kind != '{') ? 3 : 2));
            var close = kind == '#' ? Comment()
                : kind == '{' ? Tokens(TokenKind.OutputStart, TokenKind.OutputEnd, "}}")
                : Tokens(TokenKind.TagStart, TokenKind.TagEnd, "%}");
            startsLine = Close(close, trimsLine: kind != '{');
        }

        Add(TokenKind.End, "");
    }

    private int NextTag()
    {
        for (var at = _at; at + 1 < _text.Length; at++)
        {
            if (_text[at] == '{' && _text[at + 1] is '{' or '%' or '#')
            {
                return at;
            }
        }

        return _text.Length;
    }

    // White space between the line's start and a tag goes.
    private static string WithoutIndent(string text, bool startsLine)
    {
        var line = text.LastIndexOf('\n') + 1;
        return (line > 0 || startsLine) && text.AsSpan(line).IsWhiteSpace() ? text[..line] : text;
    }

    private int Comment()
    {
        var end = _text.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw TemplateError.At(_source, _line, "a comment is not closed", "#}");
        }

        Advance(end > _at && _text[end - 1] is '-' or '+' ? end - 1 : end);
        return _at;
    }

    private int Tokens(TokenKind start, TokenKind end, string close)
    {
        Add(start, "");
        var open = _line;
        var brackets = 0;
        while (true)
        {
            while (_at < _text.Length && char.IsWhiteSpace(_text[_at]))
            {
                Advance(_at + 1);
            }

            if (_at == _text.Length)
            {
                throw TemplateError.At(_source, open, "a tag is not closed", close);
            }

            var rest = _text.AsSpan(_at);
            if (brackets == 0 && (rest.StartsWith(close) || (rest[0] is '-' or '+' && rest[1..].StartsWith(close))))
            {
                Add(end, "");
                return _at;
            }

            brackets += rest[0] is '(' or '[' or '{' ? 1 : rest[0] is ')' or ']' or '}' ? -1 : 0;
            ReadToken();
        }
    }

    private void ReadToken()
    {
        var rest = _text.AsSpan(_at);
        if (rest[0] is '\'' or '"')
        {
            ReadString();
        }
        else if (NameToken().Match(_text, _at) is { Success: true } name && name.Index == _at)
        {
            Take(TokenKind.Name, name.Length);
        }
        else if (NumberToken().Match(_text, _at) is { Success: true } number && number.Index == _at)
        {
            Take(number.Groups[1].Success ? TokenKind.Float : TokenKind.Integer, number.Length);
        }
        else if (Array.Find(Operators, o => _text.AsSpan(_at).StartsWith(o)) is { } found)
        {
            Take(TokenKind.Operator, found.Length);
        }
        else
        {
            var character = Rune.TryGetRuneAt(_text, _at, out var rune) ? rune : Rune.ReplacementChar;
            throw TemplateError.At(_source, _line, $"'{character}' is no part of an expression", "a name, a value or an operator");
        }
    }

    private void ReadString()
    {
        var quote = _text[_at];
        var value = new StringBuilder();
        for (var at = _at + 1; at < _text.Length; at++)
        {
            if (_text[at] == quote)
            {
                Add(TokenKind.String, value.ToString());
                Advance(at + 1);
                return;
            }

            if (_text[at] == '\\' && at + 1 < _text.Length)
            {
                at += ReadEscape(at + 1, value);
            }
            else
            {
                value.Append(_text[at]);
            }
        }

        throw TemplateError.At(_source, _line, "a string is not closed", quote.ToString());
    }

    // As in Python; what is not an escape there stays as written.
    private int ReadEscape(int at, StringBuilder value)
    {
        var digits = _text[at] switch { 'x' => 2, 'u' => 4, _ => 0 };
        if (digits > 0 && at + digits < _text.Length
            && ushort.TryParse(_text.AsSpan(at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            value.Append((char)code);
            return digits + 1;
        }

        value.Append(_text[at] switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            '\n' => "",
            '\\' or '\'' or '"' => _text[at].ToString(),
            _ => "\\" + _text[at],
        });
        return 1;
    }

    private bool Close(int at, bool trimsLine)
    {
        if (_text[at] == '-')
        {
            at += 3;
            while (at < _text.Length && char.IsWhiteSpace(_text[at]))
            {
                at++;
            }
        }
        else if (_text[at] == '+')
        {
            at += 3;
        }
        else
        {
            at += 2;
            at += trimsLine && at < _text.Length && _text[at] == '\n' ? 1 : 0;
        }

        Advance(at);
        return _text[at - 1] == '\n';
    }

    private void Take(TokenKind kind, int length)
    {
        Add(kind, _text.Substring(_at, length));
        Advance(_at + length);
    }

    private void Add(TokenKind kind, string value) => _tokens.Add(new(kind, value, _line));

    private void Advance(int to)
    {
        _line += _text.AsSpan(_at, to - _at).Count('\n');
        _at = to;
    }

    [GeneratedRegex(@"\G[\p{L}_][\p{L}\p{Mn}\p{Nd}_]*")]
    private static partial Regex NameToken();

    [GeneratedRegex(@"\G[0-9]+(?:_[0-9]+)*(\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)?")]
    private static partial Regex NumberToken();
}
