using System.Globalization;
using System.Text;
using System.Text.Json;
using Alt.Domain;
using Alt.Model.Tokenizers;

namespace Alt.Model.Chat;

/// <param name="Role">Who speaks: system, user or assistant, or another that the template knows.</param>
public sealed record ChatMessage(string Role, string Content);

/// <summary>
/// How a model that chats was trained to see a conversation: the Jinja template of its checkpoint. Immutable and safe to use from several
/// threads.
/// </summary>
/// <remarks>
/// Of Jinja what these templates use: if, for, set, expressions, the simple filters and tests, namespaces, and white space as transformers
/// has it (trim_blocks and lstrip_blocks). Anything else is refused with its name and its line, where it is reached.
/// </remarks>
public sealed class ChatTemplate
{
    // Templates go through the messages a few times, with some hundred values each time.
    private const long StepsPerMessage = 20_000, StepsPerTemplate = 100_000;

    private readonly string _source;
    private readonly IReadOnlyList<Statement> _template;
    private readonly IReadOnlyDictionary<string, object?> _tokens;

    private ChatTemplate(string template, string source, IReadOnlyDictionary<string, object?> tokens) =>
        (_template, _source, _tokens) = (TemplateParser.Parse(template, source), source, tokens);

    /// <summary>
    /// Reads <c>chat_template.jinja</c>, or <c>chat_template</c> in <c>tokenizer_config.json</c>, of which several the one named default.
    /// </summary>
    /// <returns>Null where the folder has neither: its model does not chat.</returns>
    /// <exception cref="InputException">A file is malformed, or the template uses a statement that is not supported.</exception>
    public static ChatTemplate? Load(string folder) => Read(
        new[] { TokenizerFiles.ChatTemplateName, TokenizerFiles.ConfigName }.Where(name => File.Exists(Path.Combine(folder, name)))
            .ToDictionary(name => name, name => File.ReadAllBytes(Path.Combine(folder, name))),
        name => Path.Combine(folder, name));

    /// <summary>The chat template that a tokenizer was loaded with; null where its model does not chat.</summary>
    /// <exception cref="InputException">It is malformed, or uses a statement that is not supported.</exception>
    public static ChatTemplate? Of(Tokenizer tokenizer) => Read(tokenizer.Companions, file => file);

    /// <summary>The same of files that are in memory.</summary>
    /// <param name="pathOf">What errors call a file.</param>
    /// <inheritdoc cref="Load"/>
    internal static ChatTemplate? Read(IReadOnlyDictionary<string, byte[]> files, Func<string, string> pathOf)
    {
        var config = pathOf(TokenizerFiles.ConfigName);
        using var document = TokenizerJson.Parse(config, files.GetValueOrDefault(TokenizerFiles.ConfigName) ?? [.. "{}"u8]);
        var tokens = Tokens(document.RootElement);
        if (files.TryGetValue(TokenizerFiles.ChatTemplateName, out var template))
        {
            using var reader = new StreamReader(new MemoryStream(template), Encoding.UTF8);
            return new ChatTemplate(reader.ReadToEnd(), pathOf(TokenizerFiles.ChatTemplateName), tokens);
        }

        return TokenizerJson.Optional(document.RootElement, "chat_template") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } text => new ChatTemplate(text.GetString()!, config, tokens),
            { ValueKind: JsonValueKind.Array } list => new ChatTemplate(Default(list, config), config, tokens),
            _ => throw TokenizerJson.Malformed(
                config, "'chat_template' is of another kind", "a template, or a list of templates with names"),
        };
    }

    /// <summary>
    /// The text of a conversation. Its special tokens are text: <see cref="Tokenizer.Encode"/> it with them, and without
    /// <see cref="Tokenizer.Before"/>, which a template writes itself.
    /// </summary>
    /// <param name="addGenerationPrompt">Whether the text ends with the start of the assistant's answer.</param>
    /// <param name="date">Today, for templates that ask; where it is null they find no date.</param>
    /// <exception cref="InputException">The template refuses the messages, or uses what is not supported.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, DateTime? date = null)
    {
        var globals = new Dictionary<string, object?>(_tokens)
        {
            ["messages"] = messages.Select(
                object? (message) => new Dictionary<string, object?> { ["role"] = message.Role, ["content"] = message.Content }).ToList(),
            ["add_generation_prompt"] = addGenerationPrompt,
            ["tools"] = null,
            ["documents"] = null,
        };
        if (date is { } today)
        {
            globals["strftime_now"] = (Function)((arguments, line) =>
                Format(today, TemplateValue.Text(arguments.Positional.FirstOrDefault()), line));
        }

        var budget = StepsPerTemplate + messages.Sum(message => StepsPerMessage + message.Role.Length + (long)message.Content.Length);
        return new TemplateEvaluator(_source, globals, budget).Run(_template);
    }

    private static Dictionary<string, object?> Tokens(JsonElement config)
    {
        var tokens = new Dictionary<string, object?>();
        foreach (var name in new[] { "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token" })
        {
            var token = TokenizerJson.Optional(config, name);
            token = token is { ValueKind: JsonValueKind.Object } added ? TokenizerJson.Optional(added, "content") : token;
            if (token is { ValueKind: JsonValueKind.String } text)
            {
                tokens[name] = text.GetString();
            }
        }

        return tokens;
    }

    private static string Default(JsonElement list, string file) => list.EnumerateArray()
        .FirstOrDefault(entry => TokenizerJson.Optional(entry, "name") is { ValueKind: JsonValueKind.String } name
            && name.GetString() == "default") is { ValueKind: JsonValueKind.Object } entry
        ? TokenizerJson.Member(entry, file, "template", JsonValueKind.String).GetString()!
        : throw TokenizerJson.Malformed(file, "none of the chat templates is named default", "one that is");

    private string Format(DateTime date, string format, int line)
    {
        var text = new StringBuilder();
        for (var i = 0; i < format.Length; i++)
        {
            if (format[i] != '%' || i + 1 == format.Length)
            {
                text.Append(format[i]);
                continue;
            }

            text.Append(format[++i] switch
            {
                'd' => date.ToString("dd", CultureInfo.InvariantCulture),
                'm' => date.ToString("MM", CultureInfo.InvariantCulture),
                'b' => date.ToString("MMM", CultureInfo.InvariantCulture),
                'B' => date.ToString("MMMM", CultureInfo.InvariantCulture),
                'y' => date.ToString("yy", CultureInfo.InvariantCulture),
                'Y' => date.ToString("yyyy", CultureInfo.InvariantCulture),
                'A' => date.ToString("dddd", CultureInfo.InvariantCulture),
                'a' => date.ToString("ddd", CultureInfo.InvariantCulture),
                'H' => date.ToString("HH", CultureInfo.InvariantCulture),
                'M' => date.ToString("mm", CultureInfo.InvariantCulture),
                'S' => date.ToString("ss", CultureInfo.InvariantCulture),
                '%' => "%",
                _ => throw TemplateError.At(
                    _source, line, $"the date format '%{format[i]}' is not supported", "%d %m %b %B %y %Y %A %a %H %M %S"),
            });
        }

        return text.ToString();
    }
}
