using Alt.Domain;
using Alt.Model.Chat;
using Alt.Model.Tokenizers;

namespace Alt.Model.Sampling;

/// <summary>
/// Turns prompts into what a model reads. A plain prompt follows what stands before every text of the model, and feedback stands between
/// the two.
/// Where the config asks for the checkpoint's chat template, a prompt is a user's message, and feedback stands where that message begins.
/// </summary>
public sealed class PromptEncoder
{
    private readonly Func<string, EncodedPrompt> _encode;

    private PromptEncoder(Func<string, EncodedPrompt> encode) => _encode = encode;

    /// <exception cref="InputException">
    /// The config asks for a chat template and the tokenizer came without one, or with one that cannot wrap a prompt.
    /// </exception>
    public static PromptEncoder For(Tokenizer tokenizer, PromptsConfig config)
    {
        if (!config.ChatTemplate)
        {
            return new PromptEncoder(text => new EncodedPrompt(tokenizer.EncodePrompt(text), tokenizer.Before.Count));
        }

        var template = ChatTemplate.Of(tokenizer) ?? throw new InputException(
            $"prompts.chatTemplate is true, but the checkpoint's tokenizer has no chat template, expected {TokenizerFiles.ChatTemplateName} or "
            + "chat_template in tokenizer_config.json: use an instruct checkpoint, or leave the setting out");
        return new PromptEncoder(new ChatPrompt(template, config.SystemMessage, tokenizer).Encode);
    }

    public EncodedPrompt Encode(string text) => _encode(text);
}
