using System.Text.Json;
using System.Text.Json.Nodes;
using Alt.Domain;
using Alt.Model.Chat;

namespace Alt.Tests.Model;

public sealed class ChatTemplateTests : IDisposable
{
    private static readonly ChatMessage System = new("system", "  You are brief.\n"), Question = new("user", "What is \"it\"?\n"),
        Answer = new("assistant", " It is 'what' it is. "), Next = new("user", "é 日本 👍 {{ x }} </s>");

    private static readonly ChatMessage[][] Conversations = [
        [Question], [System, Question], [Question, Answer, Next], [System, Question, Answer, Next], [Question, Question], [Answer],
        [System], [new("tool", "4")], [new("user", "")]
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("alt-chat-").FullName;

    public static TheoryData<string> Templates => [.. Directory.EnumerateFiles(Golden, "*.jinja")
        .Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    private static string Golden => Repository.PathOf("tests", "Golden", "chat");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Templates))]
    public void Conversations_read_as_Hugging_Faces_own_interpreter_renders_them(string name)
    {
        WriteConfig();
        File.Copy(Path.Combine(Golden, name + ".jinja"), Path.Combine(_folder, "chat_template.jinja"));
        var template = ChatTemplate.Load(_folder)!;
        var cases = Conversations.SelectMany(messages => new[] { false, true }.Select(prompt => (messages, prompt))).ToArray();
        var reference = Reference(File.ReadAllText(Path.Combine(Golden, name + ".jinja")), cases);
        Assert.True(reference.Count(text => text is JsonValue) > cases.Length / 2);
        foreach (var ((messages, prompt), expected) in cases.Zip(reference))
        {
            if (expected is JsonObject)
            {
                Assert.Contains(
                    "refuses the messages: ", Assert.Throws<InputException>(() => template.Render(messages, prompt)).Message,
                    StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal(expected!.GetValue<string>(), template.Render(messages, prompt));
            }
        }
    }

    // Expected values from Jinja2 3.1.6 with trim_blocks and lstrip_blocks.
    [Theory]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a {%- if true -%} b {%- endif %} c", "ab c")]
    [InlineData("a {% if true %} b {% endif %} c", "a  b  c")]
    [InlineData("  {%+ if true %}x{% endif +%}\ny", "  x\ny")]
    [InlineData("a\n  {# gone #}\n  {{ 'b' }}\nc", "a\n  b\nc")]
    [InlineData("{{ 'a' }}\n  {#- gone -#}  \nb", "ab")]
    [InlineData("{{ 1 + 2 * 3 - 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2.5 * 2 }}", "4 -4 2 3.5 3.0 5.0")]
    [InlineData("{{ 1 ~ 'a' + 'b' ~ none ~ true }}", "1abNoneTrue")]
    [InlineData("{{ 'a' + ' b ' | trim + 'c' }}|{{ ('a' + ' b ') | trim }}", "abc|a b")]
    [InlineData("{{ not 1 == 2 and 3 > 2 >= 2 or false }}", "True")]
    [InlineData(
        "{{ missing }}|{{ missing is defined }}|{{ missing == none }}|{{ messages[9] is undefined }}|{{ '' or 'x' }}|{{ missing | default('d') }}",
        "|False|False|True|x|d")]
    [InlineData("{{ 'b' in 'abc' }} {{ 'x' not in ['x', 1] }} {{ 'k' in {'k': 1} }}", "True False True")]
    [InlineData(
        "{% for c in 'abc' %}{% if c == 'b' %}{% continue %}{% endif %}{{ loop.index }}{{ c }}{{ ',' if not loop.last }}{% endfor %}",
        "1a,3c")]
    [InlineData(
        "{% for k, v in {'a': 1, 'b': [2, 'x']}.items() %}{{ k }}={{ v }};{% else %}none{% endfor %}{% for x in [] %}{% else %}none{% endfor %}",
        "a=1;b=[2, 'x'];none")]
    [InlineData(
        "{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}{% if true %}{% set x = 9 %}{% endif %}{{ x }}",
        "2319")]
    [InlineData(
        "{% set ns = namespace(n=0) %}{% for i in [1, 2, 3] %}{% set ns.n = ns.n + i %}{% if i == 2 %}{% break %}{% endif %}{% endfor %}{{ ns.n }}",
        "3")]
    [InlineData("{% set x %} a {{ 1 }} {% endset %}[{{ x | trim }}]", "[a 1]")]
    [InlineData(
        "{{ [1, 2, 3, 4][1:3] }} {{ 'abcdef'[::-2] }} {{ 'abc'[-1] }} {{ [1, 2, 3][:-1] }} {{ 'abc'[5:] }} {{ [3, 4][-5:1] }}",
        "[2, 3] fdb c [1, 2]  [3]")]
    [InlineData(
        "{{ {'a': [1, 2.0, none, true, 'é\\n\"']} | tojson }}{{ {'a': [1], 'b': {}} | tojson(indent=2) }}",
        "{\"a\": [1, 2.0, null, true, \"é\\n\\\"\"]}{\n  \"a\": [\n    1\n  ],\n  \"b\": {}\n}")]
    [InlineData("{{ 'a\\tb\\\\n\\x41\\u00e9\\q' 'z' }}", "a\tb\\nAé\\qz")]
    [InlineData(
        "{{ 'a,b,,c'.split(',') | join('-') }} {{ ' a  b '.split() | length }} {{ 'xxaxx'.strip('x') }} {{ 'abc'.startswith('ab') }} {{ 'Ab'.upper() }}",
        "a-b--c 2 a True AB")]
    [InlineData(
        "{{ messages[0].role }} {{ messages[-1]['content'] }} {{ messages | length }} {{ messages[0].nothing is "
        + "defined }} {{ messages is iterable }} {{ 3 is odd }}",
        "user hi 1 False True True")]
    [InlineData("{% generation %}x{% endgeneration %}{{ tools is none }}{{ add_generation_prompt }}", "xTrueFalse")]
    public void Templates_mean_what_they_mean_in_Jinja(string template, string expected)
    {
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), template);
        Assert.Equal(expected, ChatTemplate.Load(_folder)!.Render([new("user", "hi")], addGenerationPrompt: false));
    }

    [Theory]
    [InlineData(
        "a\n{% macro f() %}{% endmacro %}", "line 2 of the chat template: the statement 'macro' is not supported; expected if, for, set")]
    [InlineData("{% if x %}", "line 1 of the chat template: 'the end' stands there; expected {% endif %}", true)]
    [InlineData("{{ x | rot13 }}", "the filter 'rot13' is not supported; expected trim, tojson")]
    [InlineData("{{ 1 is lucky }}", "the test 'lucky' is not supported; expected defined")]
    [InlineData("\n\n{{ cycler('a') }}", "line 3 of the chat template: 'cycler' cannot be called")]
    [InlineData("{{ 'a'.encode('x') }}", "'.encode' cannot be called")]
    [InlineData("{{ a.b.c }}", "'a' is undefined; expected something with a member 'b'")]
    [InlineData("{{ 'a' + 1 }}", "'+' cannot join a string and a number")]
    [InlineData("{{ 1 % 0 }}", "'%' divides by zero")]
    [InlineData("{{ 9223372036854775807 + 1 }}", "'+' gives a number beyond 64 bits")]
    [InlineData("{{ 'a", "a string is not closed")]
    [InlineData("{{ 'a'", "a tag is not closed; expected }}")]
    [InlineData("{# a", "a comment is not closed")]
    [InlineData("{{ 1, 2 }}", "a tuple is not supported")]
    [InlineData("{{ ! }}", "'!' is no part of an expression")]
    [InlineData("{{ strftime_now('%Y') }}", "'strftime_now' cannot be called")]
    [InlineData(
        "{% set s = 'ab' %}{% for a in s %}{% for b in s %}{% for c in s %}{% set s = s + s + s + s %}"
        + "{% for d in s %}{% for e in s %}{% for f in s %}{% for g in s %}{% for h in s %}"
        + "{% for i in s %}x{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
        + "{% endfor %}{% endfor %}",
        "the template takes too long for so few messages")]
    public void What_is_not_supported_is_named_with_its_line(string template, string expected, bool atEnd = false)
    {
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), template);
        var message = Assert.Throws<InputException>(() => ChatTemplate.Load(_folder)!.Render([], addGenerationPrompt: false)).Message;
        Assert.Contains(
            atEnd ? expected.Replace("'the end'", "the end", StringComparison.Ordinal) : expected, message, StringComparison.Ordinal);
        Assert.StartsWith(Path.Combine(_folder, "chat_template.jinja"), message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_grow_within_each_other_are_refused()
    {
        var doubled = "{% set x = 'a' %}" + string.Concat(Enumerable.Repeat("{% set x = [x, x] %}", 40)) + "{{ x }}";
        var nested = "{% set ns = namespace(x=[]) %}{% for c in '"
            + new string('a', 200) + "' %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}";
        foreach (var (template, expected) in new[]
        {
            (doubled, "the template takes too long"), (nested, "more than 100 values stand in one another")
        })
        {
            File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), template);
            var message = Assert.Throws<InputException>(() => ChatTemplate.Load(_folder)!.Render([], addGenerationPrompt: false)).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Brackets_without_end_are_refused()
    {
        File.WriteAllText(
            Path.Combine(_folder, "chat_template.jinja"), "{{ " + new string('(', 100_000) + "1" + new string(')', 100_000) + " }}");
        Assert.Contains(
            "more than 100 levels stand in one another", Assert.Throws<InputException>(() => ChatTemplate.Load(_folder)).Message,
            StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "chat_template.jinja"), "{{ 1" + string.Concat(Enumerable.Repeat(" + 1", 100_000)) + " }}");
        Assert.Contains(
            "an expression has more than 500 parts", Assert.Throws<InputException>(() => ChatTemplate.Load(_folder)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_date_is_known_only_where_one_is_given()
    {
        File.WriteAllText(
            Path.Combine(_folder, "chat_template.jinja"),
            "{{ strftime_now('%d %b %Y, %A %H:%M %%') if strftime_now is defined else 'no date' }}");
        var template = ChatTemplate.Load(_folder)!;
        Assert.Equal("no date", template.Render([], addGenerationPrompt: true));
        Assert.Equal("05 Mar 2025, Wednesday 14:07 %", template.Render([], addGenerationPrompt: true, new DateTime(2025, 3, 5, 14, 7, 0)));
    }

    [Fact]
    public void The_template_is_read_from_the_tokenizers_config_too_of_several_the_default()
    {
        Assert.Null(ChatTemplate.Load(_folder));
        WriteConfig();
        Assert.Null(ChatTemplate.Load(_folder));
        WriteConfig("{{ bos_token }}{{ messages[0].content }}");
        Assert.Equal("<s>hi", ChatTemplate.Load(_folder)!.Render([new("user", "hi")], addGenerationPrompt: false));
        WriteConfig(new JsonArray(
            new JsonObject { ["name"] = "tool_use", ["template"] = "no" },
            new JsonObject { ["name"] = "default", ["template"] = "{{ eos_token }}" }));
        Assert.Equal("</s>", ChatTemplate.Load(_folder)!.Render([], addGenerationPrompt: false));
        WriteConfig(new JsonArray());
        Assert.Contains(
            "none of the chat templates is named default", Assert.Throws<InputException>(() => ChatTemplate.Load(_folder)).Message,
            StringComparison.Ordinal);
    }

    private static JsonArray Reference(string template, (ChatMessage[] Messages, bool Prompt)[] cases) =>
        JsonNode.Parse(new NodeProject("Fixtures", "jinja").Run("render.mjs", JsonSerializer.Serialize(cases.Select(c => new
        {
            template,
            values = new
            {
                messages = c.Messages.Select(m => new { role = m.Role, content = m.Content }),
                add_generation_prompt = c.Prompt,
                bos_token = "<s>",
                eos_token = "</s>",
                tools = (object?)null
            },
        }))))!.AsArray();

    private void WriteConfig(JsonNode? template = null)
    {
        var config = new JsonObject { ["bos_token"] = new JsonObject { ["content"] = "<s>" }, ["eos_token"] = "</s>" };
        if (template is not null)
        {
            config["chat_template"] = template;
        }

        File.WriteAllText(Path.Combine(_folder, "tokenizer_config.json"), config.ToJsonString());
    }
}
