using Temporalio.Api.Common.V1;
using Temporalio.Common;
using Temporalio.Converters;
using Temporalio.Exceptions;

namespace Alt.Tests.Infra.Temporalio;

/// <summary>Values, exceptions and histories on the wire.</summary>
public sealed class ConverterTests
{
    private static readonly IPayloadConverter Converter = DataConverter.Default.PayloadConverter;

    public static TheoryData<object?, string> Values => new()
    {
        { null, "binary/null" },
        { new byte[] { 1, 2 }, "binary/plain" },
        { new WorkflowExecution { WorkflowId = "w" }, "json/protobuf" },
        { "text", "json/plain" },
        { 1.5, "json/plain" },
        { new Point(1, "a"), "json/plain" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Values_come_back_as_they_went(object? value, string encoding)
    {
        var payload = Converter.ToPayload(value);

        Assert.Equal(encoding, payload.Metadata["encoding"].ToStringUtf8());
        Assert.Equal(value, Converter.ToValue(payload, value?.GetType() ?? typeof(object)));
    }

    [Fact]
    public void Raw_values_are_not_converted()
    {
        var payload = Converter.ToPayload("text");

        Assert.Same(payload, Converter.ToPayload(new RawValue(payload)));
        Assert.Same(payload, Converter.ToValue<IRawValue>(payload).Payload);
    }

    [Fact]
    public void An_unknown_encoding_says_what_may_be_missing() =>
        Assert.Contains("codec", Assert.Throws<ArgumentException>(() => Converter.ToValue<string>(new Payload())).Message, StringComparison.Ordinal);

    [Fact]
    public void Exceptions_keep_type_message_stack_details_and_cause()
    {
        Exception thrown;
        try
        {
            throw new ApplicationFailureException("top", new InvalidDataException("bottom"), "Kind", nonRetryable: true, details: ["a", 1], nextRetryDelay: TimeSpan.FromSeconds(3));
        }
        catch (ApplicationFailureException e)
        {
            thrown = e;
        }
        var converter = new DefaultFailureConverter();

        var back = Assert.IsType<ApplicationFailureException>(converter.ToException(converter.ToFailure(thrown, Converter), Converter));

        Assert.Equal(("top", "Kind", true, TimeSpan.FromSeconds(3)), (back.Message, back.ErrorType, back.NonRetryable, back.NextRetryDelay));
        Assert.Equal(("a", 1), (back.Details.ElementAt<string>(0), back.Details.ElementAt<int>(1)));
        Assert.Contains(nameof(Exceptions_keep_type_message_stack_details_and_cause), back.StackTrace, StringComparison.Ordinal);
        Assert.Equal(("bottom", "InvalidDataException"), (back.InnerException!.Message, ((ApplicationFailureException)back.InnerException).ErrorType));
    }

    [Fact]
    public void Messages_and_stacks_can_be_hidden_from_the_server()
    {
        var converter = new HidingConverter();

        var failure = converter.ToFailure(new InvalidOperationException("secret"), Converter);

        Assert.Equal("Encoded failure", failure.Message);
        Assert.Equal("secret", converter.ToException(failure, Converter).Message);
    }

    [Theory]
    [InlineData("EVENT_TYPE_TIMER_FIRED")]
    [InlineData("TimerFired")]
    public void Histories_are_read_with_both_spellings_of_enums(string type)
    {
        var history = WorkflowHistory.FromJson("w", $$"""{"events":[{"eventId":"7","eventType":"{{type}}","timerFiredEventAttributes":{"timerId":"3"},"unknown":1}]}""");

        Assert.Equal(global::Temporalio.Api.Enums.V1.EventType.TimerFired, history.Events.Single().EventType);
        Assert.Equal(history.Events, WorkflowHistory.FromJson("w", history.ToJson()).Events);
    }

    public record Point(int X, string Name);

    private sealed class HidingConverter() : DefaultFailureConverter(new DefaultFailureConverterOptions { EncodeCommonAttributes = true });
}
