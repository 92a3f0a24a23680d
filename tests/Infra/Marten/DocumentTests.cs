using JasperFx;
using Marten;
using Marten.Exceptions;

namespace Alt.Tests.Infra.Marten;

public sealed class DocumentTests(StoreFixture database) : StoreTest(database)
{
    public sealed record Label(string Id, string Text);

    public sealed class Ticket
    {
        public Guid Id { get; set; }

        public string Title { get; set; } = "";
    }

    public sealed class Counter : IRevisioned
    {
        public string Id { get; set; } = "";

        public int Value { get; set; }

        public int Version { get; set; }
    }

    private async Task SaveAsync(Action<IDocumentSession> work)
    {
        await using IDocumentSession session = Store.LightweightSession();
        work(session);
        await session.SaveChangesAsync();
    }

    private async Task<T?> LoadAsync<T>(string id)
        where T : notnull
    {
        await using IQuerySession session = Store.QuerySession();
        return await session.LoadAsync<T>(id);
    }

    [Fact]
    public async Task A_stored_document_replaces_the_one_before()
    {
        await SaveAsync(session => session.Store(new Label("a", "first"), new Label("b", "other")));
        await SaveAsync(session => session.Store(new Label("a", "second")));

        Assert.Equal(new Label("a", "second"), await LoadAsync<Label>("a"));
        await using IQuerySession session = Store.QuerySession();
        Assert.Equal(2, (await session.LoadManyAsync<Label>("a", "b", "c")).Count);
        Assert.True(await session.CheckExistsAsync<Label>("b"));
        Assert.False(await session.CheckExistsAsync<Label>("c"));
        Assert.Equal([new Label("b", "other")], await session.QueryAsync<Label>("where d.data ->> 'Text' = ?", "other"));
    }

    [Fact]
    public async Task An_empty_Guid_is_filled()
    {
        var ticket = new Ticket { Title = "a" };
        await SaveAsync(session => session.Store(ticket));

        Assert.NotEqual(Guid.Empty, ticket.Id);
        await using IQuerySession session = Store.QuerySession();
        Assert.Equal("a", (await session.LoadAsync<Ticket>(ticket.Id))!.Title);
    }

    [Fact]
    public async Task Insert_refuses_what_exists_and_Update_what_does_not()
    {
        await SaveAsync(session => session.Insert(new Label("once", "first")));

        await Assert.ThrowsAsync<DocumentAlreadyExistsException>(() => SaveAsync(session => session.Insert(new Label("once", "second"))));
        await Assert.ThrowsAsync<NonExistentDocumentException>(() => SaveAsync(session =>
        {
            session.Store(new Label("beside", "rolled back"));
            session.Update(new Label("never", "first"));
        }));

        Assert.Equal(new Label("once", "first"), await LoadAsync<Label>("once"));
        Assert.Null(await LoadAsync<Label>("beside"));
    }

    [Fact]
    public async Task A_deleted_document_is_gone_and_so_is_a_pending_insert_of_it()
    {
        await SaveAsync(session => session.Store(new Label("gone", "first")));
        await SaveAsync(session => session.Delete<Label>("gone"));
        await SaveAsync(session =>
        {
            session.Insert(new Label("brief", "first"));
            session.Delete(new Label("brief", "first"));
        });

        Assert.Null(await LoadAsync<Label>("gone"));
        Assert.Null(await LoadAsync<Label>("brief"));
    }

    [Fact]
    public async Task A_revisioned_document_is_saved_only_on_top_of_what_was_loaded()
    {
        await SaveAsync(session => session.Store(new Counter { Id = "c", Value = 1 }));
        Counter mine = (await LoadAsync<Counter>("c"))!;
        Counter theirs = (await LoadAsync<Counter>("c"))!;
        Assert.Equal(1, mine.Version);

        mine.Value = 2;
        await SaveAsync(session => session.Store(mine));
        theirs.Value = 3;

        await Assert.ThrowsAsync<ConcurrencyException>(() => SaveAsync(session => session.Store(theirs)));
        Assert.Equal((2, 2), ((await LoadAsync<Counter>("c"))!.Value, mine.Version));
    }

    [Fact]
    public async Task A_queued_command_runs_in_the_transaction_of_the_events()
    {
        await ExecuteAsync("create table tally (name text primary key, value int not null check (value > 0))");
        await SaveAsync(session =>
        {
            session.Events.Append("tally", new QuestStarted("Ring"));
            session.QueueSqlCommand("insert into tally (name, value) values (?, ?)", "a", 1);
            session.Store(new Label("tally", "beside"));
            session.QueueSqlCommand("update tally set value = value + ? where name = ? returning value", 1, "a");
            session.Update(new Label("tally", "after"));
        });
        Assert.Equal(["2"], await QueryAsync("select value from tally"));
        Assert.Equal("after", (await LoadAsync<Label>("tally"))!.Text);

        await Assert.ThrowsAsync<MartenCommandException>(() => SaveAsync(session =>
        {
            session.Events.Append("tally", new QuestEnded("Ring"));
            session.QueueSqlCommand("update tally set value = ?", -1);
        }));
        Assert.Single(await DataAsync("tally"));
    }

    [Fact]
    public async Task A_transaction_that_the_caller_began_covers_commands_on_the_connection()
    {
        await ExecuteAsync("create table notes (text text)");
        await using (IDocumentSession session = Store.LightweightSession())
        {
            await session.BeginTransactionAsync(CancellationToken.None);
            await using Npgsql.NpgsqlCommand command = session.Connection.CreateCommand();
            command.CommandText = "insert into notes values ('beside')";
            await command.ExecuteNonQueryAsync();
            Assert.Empty(await QueryAsync("select text from notes"));
            session.Events.Append("notes", new QuestStarted("Ring"));
            await session.SaveChangesAsync();
        }

        Assert.Equal(["beside"], await QueryAsync("select text from notes"));
    }

    [Fact]
    public async Task A_document_without_a_usable_identity_is_refused()
    {
        await using IDocumentSession session = Store.LightweightSession();

        Assert.Throws<InvalidDocumentException>(() => session.Store(new QuestStarted("Ring")));
        Assert.Throws<InvalidOperationException>(() => session.Store(new Label("", "x")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => session.LoadAsync<Label>(Guid.NewGuid()));
    }
}
