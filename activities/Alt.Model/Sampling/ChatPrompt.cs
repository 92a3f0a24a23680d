using Alt.Domain;
using Alt.Model.Chat;
using Alt.Model.Tokenizers;

namespace Alt.Model.Sampling;

/// <summary>
/// Wraps prompts as a chat template does: as a user's message, after a system message where there is one, with the start of the assistant's
/// answer.
/// The tokens are those of the text that transformers' <c>apply_chat_template</c> gives. Templates that ask for the date find none, so that
/// runs repeat.
/// </summary>
internal sealed class ChatPrompt
{
    // Takes a prompt's place to show what the template writes around it; its characters mean nothing and occur in no text.
    private const string Mark = "\uE0F0\uE0F1\uE0F2";

    private readonly ChatTemplate _template;
    private readonly ChatMessage[] _system;
    private readonly Tokenizer _tokenizer;
    private readonly string _before, _after;
    private readonly int[] _lead;

    /// <exception cref="InputException">The template does not write a user's message, or refuses the system message.</exception>
    public ChatPrompt(ChatTemplate template, string? system, Tokenizer tokenizer)
    {
        (_template, _system, _tokenizer) = (template, system is null ? [] : [new("system", system)], tokenizer);
        (_before, _after) = Marked().Split(Mark) is [var before, var after]
            ? (before, after)
            : throw new InputException(
                "prompts.chatTemplate: the checkpoint's chat template does not write a user's message once and as it "
                + "is, expected one that does");
        _lead = tokenizer.Encode(_before, specialTokens: true);
    }

    public EncodedPrompt Encode(string text)
    {
        var whole = Render(text);
        if (whole.Length < _before.Length + _after.Length || !whole.StartsWith(_before, StringComparison.Ordinal)
            || !whole.EndsWith(_after, StringComparison.Ordinal))
        {
            throw new InputException(
                "prompts.chatTemplate: what the checkpoint's chat template writes around a prompt depends on the prompt "
                + $"{InputException.Quote(text)}, expected the same for all");
        }

        // A prompt is no place for special tokens: what reads like one is ordinary text there.
        var content = whole[_before.Length..^_after.Length];
        var tokens = _tokenizer.SpecialTokens.Values.Any(content.Contains)
            ? [.. _lead, .. _tokenizer.Encode(content), .. _tokenizer.Encode(_after, specialTokens: true)]
            : _tokenizer.Encode(whole, specialTokens: true);

        // A token may reach over the place where the prompt begins; feedback stands before it then.
        return new EncodedPrompt(tokens, tokens.Zip(_lead).TakeWhile(pair => pair.First == pair.Second).Count());
    }

    private string Marked()
    {
        try
        {
            return Render(Mark);
        }
        catch (InputException e)
        {
            throw new InputException($"{(_system is [] ? "prompts.chatTemplate" : "prompts.systemMessage")}: {e.Message}", e);
        }
    }

    private string Render(string text) => _template.Render([.. _system, new("user", text)], addGenerationPrompt: true);
}
