using Alt.Domain;
using Alt.Infra.Calls;

namespace Alt.Tests.Infra.Calls;

public sealed class SecretTests
{
    [Fact]
    public void A_secret_in_the_config_is_refused_and_not_repeated()
    {
        var error = Assert.Throws<InputException>(() => Secret.Read("sk-0123456789"));
        Assert.Contains("must not stand in a config", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("env:ALT_TEST_NO_SUCH_VARIABLE", "the environment variable ALT_TEST_NO_SUCH_VARIABLE is not set")]
    [InlineData("file:/no/such/file", "the file /no/such/file cannot be read or is empty")]
    public void A_secret_that_is_not_there_is_one_line(string source, string problem) =>
        Assert.Contains(problem, Assert.Throws<InputException>(() => Secret.Read(source)).Message, StringComparison.Ordinal);

    [Fact]
    public void It_is_redacted_in_every_form_that_a_service_may_repeat_it_in()
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("alt-secret-").FullName, "key");
        File.WriteAllText(file, "a+b/c\"d\n");
        var secret = Secret.Read($"file:{file}")!;
        Assert.Equal("a+b/c\"d", secret.Reveal());
        Assert.Equal(
            "[redacted] [redacted] [redacted]",
            secret.Redact($"a+b/c\"d a%2Bb%2Fc%22d {System.Text.Json.JsonEncodedText.Encode("a+b/c\"d")}"));
        Assert.Equal($"file:{file}", $"{secret}");
    }

    [Fact]
    public void None_is_none() => Assert.Null(Secret.Read(null));
}
