using System.Globalization;
using System.Text.RegularExpressions;
using Alt.Domain;

namespace Alt.Host;

/// <summary>Names of runs: part of stream keys, workflow ids and file names.</summary>
internal static partial class RunId
{
    /// <exception cref="InputException">The name has characters other than letters, digits, dots, dashes and underscores.</exception>
    public static string Check(string id) => Allowed().IsMatch(id)
        ? id
        : throw new InputException(
            $"run id '{Messages.OneLine(id)}': expected up to 64 letters, digits, '.', '-' or '_', the first one a letter or digit");

    /// <summary>The config's name and the time, with a serial where that is taken.</summary>
    public static string New(string name, DateTime now, IReadOnlyCollection<string> taken)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{name}-{now:MMdd-HHmm}");
        return !taken.Contains(id) ? id : Enumerable.Range(2, int.MaxValue - 2).Select(n => $"{id}-{n}").First(n => !taken.Contains(n));
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Allowed();
}
