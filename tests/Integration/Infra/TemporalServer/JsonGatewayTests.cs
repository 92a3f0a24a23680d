using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Temporalio.Api.Enums.V1;

namespace Alt.Tests.Infra.TemporalServer;

public sealed class JsonGatewayTests(ServerFixture server) : IClassFixture<ServerFixture>, IDisposable
{
    private const string Workflows = "/api/v1/namespaces/default/workflows";

    private readonly HttpClient _http = new() { BaseAddress = new Uri($"http://{server.HttpAddress}") };

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_workflow_is_started_signalled_listed_and_read_as_json()
    {
        // A name that must be escaped in a path; its %2F is no slash.
        string id = $"a/b c%2F-{Guid.NewGuid():N}", path = $"{Workflows}/{Uri.EscapeDataString(id)}";
        var started = await PostAsync(
            path,
            """{"workflowType":{"name":"Test"},"taskQueue":{"name":"json"},"requestId":"r","input":{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"MQ=="}]}}""");
        var runId = (string)started["runId"]!;
        await PostAsync($"{path}/signal/hello", "{}");

        var listed = await GetAsync($"{Workflows}?query={Uri.EscapeDataString($"WorkflowId = '{id}'")}&pageSize=5");
        var described = await GetAsync($"{path}?execution.runId={runId}");
        var history = await GetAsync($"{path}/history?execution.run_id={runId}&maximumPageSize=2");
        var rest = await GetAsync($"{path}/history?nextPageToken={Uri.EscapeDataString((string)history["nextPageToken"]!)}");

        Assert.Equal(runId, (string?)listed["executions"]![0]!["execution"]!["runId"]);
        Assert.Equal("WORKFLOW_EXECUTION_STATUS_RUNNING", (string?)described["workflowExecutionInfo"]!["status"]);
        Assert.Empty(described["pendingActivities"]!.AsArray());
        Assert.Equal(
            "MQ==",
            (string?)history["history"]!["events"]![0]!["workflowExecutionStartedEventAttributes"]!["input"]!["payloads"]![0]!["data"]);
        Assert.Equal("EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED", (string?)rest["history"]!["events"]![0]!["eventType"]);
    }

    [Fact]
    public async Task Pages_of_the_user_interface_find_their_answers()
    {
        foreach (var path in new[]
        {
            "/api/v1/system-info", "/api/v1/cluster-info", "/api/v1/namespaces", "/api/v1/namespaces/default",
            "/api/v1/namespaces/default/search-attributes",
            Workflows, "/api/v1/namespaces/default/workflow-count?query=GROUP%20BY%20ExecutionStatus",
            "/api/v1/namespaces/default/schedules",
            "/api/v1/namespaces/default/batch-operations", "/api/v1/namespaces/default/worker-deployments",
            "/api/v1/namespaces/default/workers",
            "/api/v1/nexus/endpoints", "/api/v1/namespaces/default/task-queues/json/worker-build-id-compatibility",
            "/api/v1/namespaces/default/task-queues/json/worker-versioning-rules", "/api/v1/namespaces/default/worker-task-reachability",
            "/api/v1/namespaces/default/task-queues/json?taskQueueType=TASK_QUEUE_TYPE_WORKFLOW",
            "/api/v1/namespaces/default/task-queues/json?taskQueueType=2",
        })
        {
            using var response = await _http.GetAsync(path);
            Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
    }

    [Fact]
    public async Task Errors_are_json_with_a_status_of_their_own()
    {
        using var missing = await _http.GetAsync($"{Workflows}/never");
        var error = JsonNode.Parse(await missing.Content.ReadAsStringAsync())!;
        using var nowhere = await _http.GetAsync("/api/v1/nowhere");
        using var malformed = await _http.PostAsync(
            $"{Workflows}/x", new StringContent("{", Encoding.UTF8, "application/json"));

        Assert.Equal((HttpStatusCode.NotFound, 5), (missing.StatusCode, (int)error["code"]!));
        Assert.Equal("type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure", (string?)error["details"]![0]!["@type"]);
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, malformed.StatusCode);
    }

    [Fact]
    public async Task A_web_page_of_another_origin_gets_nothing_done()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();
        // What a page may send without asking first.
        using var form = new HttpRequestMessage(HttpMethod.Post, $"{Workflows}/{worker.WorkflowId}/terminate")
        {
            Content = new StringContent("{}", Encoding.UTF8, "text/plain"),
            Headers = { { "Origin", "https://example.org" } },
        };
        using var unasked = await _http.SendAsync(form);
        using var preflight = new HttpRequestMessage(HttpMethod.Options, Workflows)
        {
            Headers = { { "Origin", "https://example.org" }, { "Access-Control-Request-Method", "POST" } }
        };
        using var asked = await _http.SendAsync(preflight);
        using var rebound = new HttpRequestMessage(HttpMethod.Get, Workflows) { Headers = { Host = "example.org" } };
        using var read = await _http.SendAsync(rebound);

        Assert.Equal(HttpStatusCode.Forbidden, unasked.StatusCode);
        Assert.False(asked.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Equal(HttpStatusCode.Forbidden, read.StatusCode);
        Assert.Equal(WorkflowExecutionStatus.Running, await worker.StatusAsync());
    }

    [Fact]
    public async Task A_body_may_be_missing_and_need_not_say_that_it_is_json()
    {
        var worker = new HandWorker(server.Client);
        await worker.StartAsync();

        using var empty = await _http.PostAsync($"{Workflows}/{worker.WorkflowId}/signal/hello", null);
        using var form = await _http.PostAsync(
            $"{Workflows}/{worker.WorkflowId}/signal/hello", new StringContent("{}", Encoding.UTF8, "application/x-www-form-urlencoded"));
        var described = await GetAsync($"{Workflows}/{worker.WorkflowId}");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (empty.StatusCode, form.StatusCode));
        // As protobuf's JSON writes numbers of 64 bits.
        Assert.Equal("4", (string?)described["workflowExecutionInfo"]!["historyLength"]);
    }

    [Fact]
    public async Task A_body_larger_than_a_message_may_be_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Workflows}/large/signal/hello")
        {
            Content = new StringContent($$"""{"identity":"{{new string('x', 5 * 1024 * 1024)}}"}""", Encoding.UTF8, "application/json"),
        };
        // The answer comes before the body is sent, which is never read.
        request.Headers.ExpectContinue = true;

        using var refused = await _http.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("too large", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await _http.GetStringAsync(path))!;

    private async Task<JsonNode> PostAsync(string path, string body)
    {
        using var response = await _http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
