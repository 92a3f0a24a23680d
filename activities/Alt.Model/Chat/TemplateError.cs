using Alt.Domain;

namespace Alt.Model.Chat;

internal static class TemplateError
{
    public static InputException At(string source, int line, string what, string expected) =>
        new($"{source}, line {line} of the chat template: {what}; expected {expected}");
}
