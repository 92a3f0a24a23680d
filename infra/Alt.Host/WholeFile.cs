using Alt.Domain;

namespace Alt.Host;

/// <summary>Files that a command writes for its user: whole, or not at all.</summary>
internal static class WholeFile
{
    /// <summary>Written aside, synced and renamed, so that an interrupted call leaves no half file under the wanted name.</summary>
    /// <param name="option">What named the file, for the message.</param>
    /// <exception cref="InputException">The file cannot be made there.</exception>
    /// <exception cref="HostException">The disk is full.</exception>
    public static async Task<T> WriteAsync<T>(string option, string path, Func<Stream, Task<T>> write)
    {
        var aside = $"{path}.{Environment.ProcessId}.part";
        try
        {
            T result;
            await using (var stream = new FileStream(aside, FileMode.Create, FileAccess.Write))
            {
                result = await write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
            return result;
        }
        catch (Exception e) when (e is DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new InputException($"{option} {path}: cannot be written: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new HostException($"{path} cannot be written: {Messages.OneLine(e.Message)}; nothing is left of it", e);
        }
        finally
        {
            // In a missing folder, even deleting fails.
            if (File.Exists(aside))
            {
                File.Delete(aside);
            }
        }
    }
}
