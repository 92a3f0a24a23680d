namespace Alt.Model.Chat;

internal enum TokenKind { Text, TagStart, TagEnd, OutputStart, OutputEnd, Name, String, Integer, Float, Operator, End }

/// <param name="Value">A string's or a text's characters, else what stands in the template.</param>
/// <param name="Line">From 1.</param>
internal readonly record struct TemplateToken(TokenKind Kind, string Value, int Line)
{
    public bool Is(TokenKind kind, string value) => Kind == kind && Value == value;

    public override string ToString() => Kind switch
    {
        TokenKind.End => "the end",
        TokenKind.Text => "text",
        TokenKind.String => "a string",
        _ => $"'{(Value.Length <= 40 ? Value : Value[..40] + "…")}'",
    };
}
