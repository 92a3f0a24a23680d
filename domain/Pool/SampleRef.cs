using System.Globalization;

namespace Alt.Domain;

/// <summary>A sample's name across all runs, as users type it: <c>RUN/ITERATION/PROMPT/K</c>, for example <c>second/2/17/3</c>.</summary>
public readonly record struct SampleRef(string Run, SampleId Id)
{
    public override string ToString() => $"{Run}/{Id}";

    /// <exception cref="InputException">The text is no such name.</exception>
    public static SampleRef Parse(string text) =>
        text.Split('/') is [{ Length: > 0 } run, var iteration, var prompt, var k]
        && Number(iteration) is { } i && Number(prompt) is { } p && Number(k) is { } n
            ? new SampleRef(run, new SampleId(i, p, n))
            : throw new InputException(
                $"'{text}' is no sample: expected RUN/ITERATION/PROMPT/K, such as second/2/17/3; `alt audit pool RUN` lists samples");

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
