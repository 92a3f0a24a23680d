using Marten;

namespace Alt.Tests.Infra.Marten;

/// <summary>The names that Marten 9.29 gave to types of these names.</summary>
public sealed class EventAliasTests
{
#pragma warning disable SA1300, CS8981, IDE1006 // The names are the vectors.
    public sealed record PipelineRunStarted;
    public sealed record OAuth2TokenIssued;
    public sealed record Step1Completed;
    public sealed record IOError;
    public sealed record Order_Placed;
    public sealed record XMLHttpRequestSent;
    public sealed record A;
    public sealed record AB;
    public sealed record ABc;
    public sealed record V2;
    public sealed record pipelineStarted;
    public sealed record StepÉtapeDone;
    public sealed record GPSFixAcquired3D;
    public sealed record JobQueuedX;
    public sealed record EventABC;
    public sealed record Run2026Started;
    public sealed record Foo__Bar;
    public sealed record HTTPServer;
    public sealed record UserIDChanged;
    public sealed record HTTPCallV2Made;
    public sealed record NestedThing;
    public sealed record Wrapper<T>;
    public sealed record Generic2<T1, T2>;
#pragma warning restore SA1300, CS8981, IDE1006

    [Theory]
    [InlineData(typeof(PipelineRunStarted), "pipeline_run_started")]
    [InlineData(typeof(OAuth2TokenIssued), "o_auth_2_token_issued")]
    [InlineData(typeof(Step1Completed), "step_1_completed")]
    [InlineData(typeof(IOError), "io_error")]
    [InlineData(typeof(Order_Placed), "order___placed")]
    [InlineData(typeof(XMLHttpRequestSent), "xml_http_request_sent")]
    [InlineData(typeof(A), "a")]
    [InlineData(typeof(AB), "ab")]
    [InlineData(typeof(ABc), "a_bc")]
    [InlineData(typeof(V2), "v2")]
    [InlineData(typeof(pipelineStarted), "pipeline_started")]
    [InlineData(typeof(StepÉtapeDone), "step_étape_done")]
    [InlineData(typeof(GPSFixAcquired3D), "gps_fix_acquired_3d")]
    [InlineData(typeof(JobQueuedX), "job_queued_x")]
    [InlineData(typeof(EventABC), "event_abc")]
    [InlineData(typeof(Run2026Started), "run_2026_started")]
    [InlineData(typeof(Foo__Bar), "foo____bar")]
    [InlineData(typeof(HTTPServer), "http_server")]
    [InlineData(typeof(UserIDChanged), "user_id_changed")]
    [InlineData(typeof(HTTPCallV2Made), "http_call_v2_made")]
    [InlineData(typeof(NestedThing), "nested_thing")]
    [InlineData(typeof(Wrapper<int>), "Wrapper<int>")]
    [InlineData(typeof(Generic2<int, List<string>>), "Generic2<int, List<string>>")]
    public void The_alias_of_a_type_is_Martens(Type type, string alias)
    {
        using DocumentStore store = DocumentStore.For("Host=unused");
        using IDocumentSession session = store.LightweightSession();

        Assert.Equal(alias, session.Events.BuildEvent(Activator.CreateInstance(type)!).EventTypeName);
    }

    [Fact]
    public void The_dotnet_type_has_its_assembly_without_a_version()
    {
        using DocumentStore store = DocumentStore.For("Host=unused");
        using IDocumentSession session = store.LightweightSession();

        Assert.Equal("Alt.Tests.Infra.Marten.EventAliasTests+NestedThing, Alt.Tests", session.Events.BuildEvent(new NestedThing()).DotNetTypeName);
    }

    [Fact]
    public void A_mapped_alias_outlives_the_name_of_the_class()
    {
        using DocumentStore store = DocumentStore.For(options =>
        {
            options.Connection("Host=unused");
            options.Events.MapEventType<NestedThing>("thing");
        });
        using IDocumentSession session = store.LightweightSession();

        Assert.Equal("thing", session.Events.BuildEvent(new NestedThing()).EventTypeName);
    }
}
