using System.Security.Cryptography;
using Alt.Infra.Temporal;
using Temporalio.Client;
using Temporalio.Converters;
using Temporalio.Exceptions;
using Temporalio.Worker;

namespace Alt.Tests.Infra.Temporal;

/// <summary>The AES-GCM codec alone, and around workflows: nothing readable reaches the server.</summary>
public sealed class PayloadCodecTests(TemporalFixture temporal) : IClassFixture<TemporalFixture>
{
    private const string Secret = "attack at dawn";

    [Fact]
    public async Task What_is_encrypted_can_be_read_with_its_key_only()
    {
        var codec = AesGcmPayloadCodec.Parse($"old:{Key(1)}");
        var payload = DataConverter.Default.PayloadConverter.ToPayload(Secret);

        var encrypted = (await codec.EncodeAsync([payload])).Single();

        Assert.DoesNotContain("dawn", encrypted.ToString(), StringComparison.Ordinal);
        Assert.Equal(payload, (await codec.DecodeAsync([encrypted])).Single());
        Assert.Equal(payload, (await AesGcmPayloadCodec.Parse($"new:{Key(2)},old:{Key(1)}").DecodeAsync([encrypted])).Single());
        await Assert.ThrowsAnyAsync<CryptographicException>(() => AesGcmPayloadCodec.Parse($"new:{Key(2)}").DecodeAsync([encrypted]));
        await Assert.ThrowsAnyAsync<CryptographicException>(() => AesGcmPayloadCodec.Parse($"old:{Key(2)}").DecodeAsync([encrypted]));
        Assert.Equal(payload, (await codec.DecodeAsync([payload])).Single());
    }

    [Theory]
    [InlineData("no colon")]
    [InlineData("id:not base64!")]
    [InlineData("id:c2hvcnQ=")]
    public void Keys_that_are_none_are_refused_without_showing_them(string keys) =>
        Assert.DoesNotContain(
            keys, Assert.Throws<ArgumentException>(() => AesGcmPayloadCodec.Parse(keys)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task Workflows_work_the_same_and_their_history_holds_nothing_readable()
    {
        var client = new TemporalClient(
            temporal.Client.Connection,
            new() { DataConverter = DataConverter.Default with { PayloadCodec = AesGcmPayloadCodec.Parse($"k:{Key(1)}") } });

        await temporal.RunWorkerAsync(
            options => options.AddWorkflow<Basket>(),
            async queue =>
            {
                var options = TemporalFixture.NewWorkflow(queue);
                options.Memo = new Dictionary<string, object> { ["note"] = Secret };
                var handle = await client.StartWorkflowAsync((Basket wf) => wf.RunAsync(), options);
                await handle.SignalAsync(wf => wf.AddAsync(Secret));
                Assert.Equal(2, await handle.ExecuteUpdateAsync(wf => wf.PutAsync("dawn")));
                var rejected = await Assert.ThrowsAsync<WorkflowUpdateFailedException>(() =>
                    handle.ExecuteUpdateAsync(wf => wf.PutAsync("stone")));
                Assert.Equal("stone is no fruit", rejected.InnerException!.Message);
                Assert.Equal(Secret, await handle.QueryAsync(wf => wf.At(0)));
                await handle.SignalAsync(wf => wf.CloseAsync());
                Assert.Equal($"{Secret}, dawn", await handle.GetResultAsync());
                Assert.Equal(Secret, await (await handle.DescribeAsync()).Memo["note"].ToValueAsync<string>());

                Assert.DoesNotContain((await handle.FetchHistoryAsync()).Events.SelectMany(Payloads), text =>
                    text.Contains("dawn", StringComparison.Ordinal));
                await new WorkflowReplayer(
                    new WorkflowReplayerOptions { DataConverter = client.Options.DataConverter }.AddWorkflow<Basket>())
                    .ReplayWorkflowAsync(await handle.FetchHistoryAsync());
            },
            client);
    }

    private static IEnumerable<string> Payloads(Temporalio.Api.History.V1.HistoryEvent evt) =>
        System.Text.RegularExpressions.Regex.Matches(evt.ToString(), "\"data\": \"([^\"]*)\"").Select(match =>
            System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(match.Groups[1].Value)));

    private static string Key(byte fill)
    {
        var key = new byte[32];
        Array.Fill(key, fill);
        return Convert.ToBase64String(key);
    }
}
