using Alt.Domain;

namespace Alt.Tests.Model;

/// <summary>A file that is loaded in many mutations; each one loads or is refused with one line.</summary>
/// <param name="AllowedPerByte">Managed bytes that loading may allocate for each byte of the mutated file.</param>
/// <param name="AllowedAlways">Bytes allowed in addition, whatever its size.</param>
internal sealed record MutatedFile(string Path, long AllowedPerByte = 400, long AllowedAlways = 1 << 20)
{
    /// <summary>Writes each mutation in the file's place and loads it; ends with the original there again.</summary>
    /// <returns>How many loaded, and how many were refused.</returns>
    public (int Loaded, int Refused) LoadAll(int mutations, Action load)
    {
        var original = File.ReadAllBytes(Path);
        load(); // The first load also allocates what is kept for good, such as compiled patterns.
        var refused = 0;
        for (var seed = 0; seed < mutations; seed++)
        {
            var mutated = Mutations.Of(original, seed);
            File.WriteAllBytes(Path, mutated);
            refused += IsRefused(load, seed, mutated.Length) ? 1 : 0;
        }

        File.WriteAllBytes(Path, original);
        return (mutations - refused, refused);
    }

    private bool IsRefused(Action load, int seed, int length)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        InputException? refusal = null;
        try
        {
            load();
        }
        catch (InputException e)
        {
            refusal = e;
        }
        catch (Exception e)
        {
            Assert.Fail($"Mutation {seed} of {Path} ends in {e}");
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated <= AllowedAlways + AllowedPerByte * length,
            $"Mutation {seed} of {Path}, {length} bytes, allocates {allocated} bytes.");
        Assert.False(
            refusal is not null && refusal.Message.AsSpan().ContainsAny("\r\n"),
            $"Mutation {seed} of {Path} is refused with more than one line: {refusal?.Message}");
        return refusal is not null;
    }
}
