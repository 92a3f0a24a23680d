using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Alt.Domain;
using Npgsql;

namespace Alt.Infra;

/// <summary>What a verification found.</summary>
/// <param name="Events">Events whose seals were checked.</param>
/// <param name="Artifacts">Artifacts that the events name, and files in folders among them; each was read and hashed.</param>
/// <param name="Erased">Artifacts that were replaced because a prompt was erased; their seals stay, their old content is gone.</param>
/// <param name="Seal">The run stream's last seal; it and those in the certificate stand for the whole record.</param>
/// <param name="Problems">One line each: what is damaged, and how that shows.</param>
public sealed record VerificationReport(
    string Run, int Events, int Artifacts, int Erased, int Certified, string? Seal, IReadOnlyList<string> Problems);

/// <summary>
/// Checks that a run's record is unchanged since it was written: every event against its seal, every seal against the certificate,
/// every artifact against its hash, the sums, and the rows of the projections.
/// </summary>
public sealed class Verification(Ledger ledger, ArtifactStore artifacts, string run)
{
    private readonly List<string> _problems = [];
    private readonly HashSet<string> _seen = [];
    private int _events, _erased;

    /// <param name="certificate">A copy of the certificate that was kept elsewhere; null takes the one beside the artifacts.</param>
    /// <exception cref="InputException">Nothing is recorded of such a run.</exception>
    public async Task<VerificationReport> RunAsync(string? certificate = null, CancellationToken token = default)
    {
        if (certificate is not null && !File.Exists(certificate))
        {
            throw new InputException($"--certificate {certificate}: no such file");
        }

        var certified = Certificate.Read(certificate ?? new Certificate(artifacts, run).Path);
        var seals = await SealsAsync(token);
        string[] streams = [.. (await StreamsAsync(token)).Concat(seals.Keys)
            .Concat(certified.Select(c => c.Stream)).Distinct().Order(StringComparer.Ordinal)];
        if (streams.Length == 0)
        {
            throw new InputException($"no run '{run}'; ./alt status lists the runs");
        }

        var damaged = false;
        foreach (var stream in streams)
        {
            var before = _problems.Count;
            var stored = await EventsAsync(stream, token);
            await CheckSealsAsync(stream, stored, seals.GetValueOrDefault(stream, []), token);
            damaged |= _problems.Count > before;
            foreach (var @event in stored)
            {
                await CheckArtifactsAsync(stream, @event, token);
            }
        }

        CheckCertificate(certified, seals);
        if (!damaged)
        {
            await CheckSumsAsync(token);
        }

        // The rows are compared with what events and artifacts give, which is known only if those are right.
        if (_problems.Count == 0 && seals.ContainsKey(Ledger.RunStream(run)))
        {
            foreach (var (table, key) in await ledger.DifferencesAsync(run, token))
            {
                _problems.Add(
                    $"{table}: the row {key} is not what events and artifacts make; ./alt audit rebuild rebuilds the projections");
            }
        }

        var last = seals.GetValueOrDefault(Ledger.RunStream(run)) is { Count: > 0 } own
            ? Convert.ToHexStringLower(own[own.Keys.Max()])
            : null;
        return new VerificationReport(run, _events, _seen.Count, _erased, certified.Count, last, _problems);
    }

    private async Task CheckSealsAsync(
        string stream, IReadOnlyList<StoredEvent> stored, IReadOnlyDictionary<long, byte[]> seals, CancellationToken token)
    {
        var expected = Math.Max(
            Math.Max(await VersionAsync(stream, token), stored.Select(e => e.Version).DefaultIfEmpty().Max()),
            seals.Keys.DefaultIfEmpty().Max());
        var byVersion = stored.ToLookup(e => e.Version);
        for (long version = 1; version <= expected; version++)
        {
            if (byVersion[version].FirstOrDefault() is not { } @event)
            {
                _problems.Add($"event {version} of {stream} is missing");
            }
            else if (!seals.TryGetValue(version, out var seal))
            {
                _problems.Add($"{@event.Name(stream)} has no seal");
            }
            else
            {
                _events++;
                byte[] content = [.. seals.GetValueOrDefault(version - 1, []), .. Encoding.UTF8.GetBytes(@event.Content)];
                if (!SHA256.HashData(content).AsSpan().SequenceEqual(seal))
                {
                    _problems.Add($"{@event.Name(stream)} is not what was sealed: it, its seal or the seal before it was changed");
                }
            }
        }

        foreach (var @event in stored.Where(e => e.Version < 1 || e.Version > expected))
        {
            _problems.Add($"{@event.Name(stream)} does not belong there");
        }
    }

    private void CheckCertificate(IReadOnlyList<CertifiedSeal> certified, IReadOnlyDictionary<string, SortedDictionary<long, byte[]>> seals)
    {
        foreach (var line in certified)
        {
            if (!seals.GetValueOrDefault(line.Stream, []).TryGetValue(line.Version, out var seal)
                || Convert.ToHexStringLower(seal) != line.Seal)
            {
                _problems.Add(
                    $"{line.Stream} up to event {line.Version} is not what the certificate says: seals in the database, or the "
                    + "certificate, were changed");
            }
        }
    }

    private async Task CheckArtifactsAsync(string stream, StoredEvent @event, CancellationToken token)
    {
        foreach (var artifact in Named(JsonDocument.Parse(@event.Data).RootElement))
        {
            if (_seen.Add(artifact.Hash))
            {
                await CheckAsync(artifact, @event.Name(stream), token);
            }
        }
    }

    private async Task CheckAsync(ArtifactRef artifact, string namedBy, CancellationToken token)
    {
        try
        {
            var current = artifacts.Resolve(artifact);
            if (current != artifact)
            {
                _erased++;
                if (!await IsRecordedAsync(artifact, token))
                {
                    _problems.Add($"artifact {artifact}, named by {namedBy}, was replaced and no event records that");
                }
            }

            await artifacts.VerifiedPathAsync(artifact, token);
            if (artifact.MediaType == ArtifactStore.Folder)
            {
                foreach (var (name, file) in await artifacts.ReadFolderAsync(artifact, token))
                {
                    if (_seen.Add(file.Hash))
                    {
                        await CheckAsync(file, $"{name} in {artifact.ShortHash}, {namedBy}", token);
                    }
                }
            }
        }
        catch (ArtifactException e)
        {
            _problems.Add($"{e.Message} (named by {namedBy})");
        }
    }

    /// <summary>Whether an event of this or another run records that a prompt was erased from the artifact.</summary>
    private async Task<bool> IsRecordedAsync(ArtifactRef artifact, CancellationToken token)
    {
        await using var command = ledger.Source.CreateCommand(
            "select exists (select from mt_events where type = 'prompt_erased' and jsonb_exists(data -> 'Replaced', $1))");
        command.Parameters.Add(new NpgsqlParameter { Value = artifact.Hash });
        return (bool)(await command.ExecuteScalarAsync(token))!;
    }

    /// <summary>Checks config and pools against their hashes, and that no sample was lost between two stages.</summary>
    private async Task CheckSumsAsync(CancellationToken token)
    {
        var state = await ledger.RunAsync(run, token);
        if (state.Started is not { } started)
        {
            return;
        }

        Require(AltJson.Hash(started.Config) == started.ConfigHash, "the config does not have the hash that the run started with");
        var (entries, configs) = (0, await ledger.ConfigsAsync(state, token));
        for (var number = 1; number <= state.Config.Iterations; number++)
        {
            var i = await ledger.IterationAsync(new(run, number), token);
            if (i.Sampling is { } sampling)
            {
                Require(
                    sampling.Samples == i.Prompts!.Count * configs[number].Sampling.Generations,
                    $"iteration {number}: {sampling.Samples} samples for {i.Prompts.Count} prompts");
            }

            if (i.Feedback is { } f)
            {
                Require(
                    f.Labelled + f.Abstained + f.Unparsed + f.Failed + f.Vetoed == i.Sampling!.Samples,
                    $"iteration {number}: the outcomes are not as many as the {i.Sampling.Samples} samples");
            }

            if (i.DataPool is { } pool)
            {
                entries = (configs[number].DataPool.Accumulate ? entries : 0) + i.Feedback!.Labelled;
                Require(
                    pool.Entries == entries && pool.PerQuantile.Sum() == entries,
                    $"iteration {number}: the pool has {pool.Entries} entries, expected {entries}");
                await RequirePoolAsync(number, pool, token);
            }

            if (i.Selection is { } selection)
            {
                Require(
                    selection.Selected + selection.LeftOut.Values.Sum() == i.DataPool!.Entries,
                    $"iteration {number}: the decisions are not as many as the {i.DataPool.Entries} entries");
            }
        }
    }

    private async Task RequirePoolAsync(int number, IterationEvent.DataPoolUpdated pool, CancellationToken token)
    {
        try
        {
            var hash = DataPool.Hash(await artifacts.ReadJsonLinesAsync<PoolEntry>(pool.Pool, token).ToArrayAsync(token));
            Require(hash == pool.PoolHash, $"iteration {number}: the pool's entries do not have the recorded pool hash");
        }
        catch (ArtifactException)
        {
            // Already reported, with the event that names the artifact.
        }
    }

    private void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            _problems.Add(otherwise);
        }
    }

    private static IEnumerable<ArtifactRef> Named(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object when element.TryGetProperty(nameof(ArtifactRef.Hash), out var hash)
            && element.TryGetProperty(nameof(ArtifactRef.MediaType), out var type)
            && element.TryGetProperty(nameof(ArtifactRef.Size), out var size) && hash.ValueKind == JsonValueKind.String
            && size.TryGetInt64(out var bytes) && hash.GetString()!.Length == 64
            => [new ArtifactRef(hash.GetString()!, bytes, type.ToString())],
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p => Named(p.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Named),
        _ => [],
    };

    private Task<List<string>> StreamsAsync(CancellationToken token) =>
        ReadAsync($"select stream from (select id as stream from mt_streams) s where {Seals.OfRun}", run, r => r.GetString(0), token);

    private async Task<Dictionary<string, SortedDictionary<long, byte[]>>> SealsAsync(CancellationToken token) =>
        (await ReadAsync(
            $"select stream, version, seal from {Seals.Table} where {Seals.OfRun}", run,
            r => (Stream: r.GetString(0), Version: r.GetInt64(1), Seal: r.GetFieldValue<byte[]>(2)), token))
        .GroupBy(s => s.Stream)
        .ToDictionary(g => g.Key, g => new SortedDictionary<long, byte[]>(g.ToDictionary(s => s.Version, s => s.Seal)));

    private Task<List<StoredEvent>> EventsAsync(string stream, CancellationToken token) => ReadAsync(
        $"select e.seq_id, e.version, e.type, {Seals.Content}, e.data::text from mt_events e where e.stream_id = $1 order by e.version",
        stream,
        r => new StoredEvent(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), r.GetString(4)), token);

    private async Task<long> VersionAsync(string stream, CancellationToken token) =>
        (await ReadAsync("select version from mt_streams where id = $1", stream, r => r.GetInt64(0), token)).FirstOrDefault();

    private async Task<List<T>> ReadAsync<T>(string sql, string parameter, Func<NpgsqlDataReader, T> row, CancellationToken token)
    {
        await using var command = ledger.Source.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await using var reader = await command.ExecuteReaderAsync(token);
        var rows = new List<T>();
        while (await reader.ReadAsync(token))
        {
            rows.Add(row(reader));
        }

        return rows;
    }

    private sealed record StoredEvent(long Sequence, long Version, string Type, string Content, string Data)
    {
        public string Name(string stream) => $"event {Version} of {stream} ({Type}, sequence {Sequence})";
    }
}
