using System.Text.RegularExpressions;

namespace Alt.Domain;

/// <summary>A generated forum comment: prompt and continuation make one text, the continuation begins with its space.</summary>
public sealed record Comment(string Prompt, string Continuation, string Tone);

/// <summary>A tone of comments with words of its own, by slot. The words of all slots are its lexicon.</summary>
/// <param name="Weight">How often it is drawn, relative to the others.</param>
/// <param name="Toxic">Whether one of its words makes a text toxic.</param>
public sealed record GrammarTone(string Name, double Weight, bool Toxic, IReadOnlyDictionary<string, IReadOnlyList<string>> Slots);

/// <summary>
/// A grammar of short comments in tones from kind to hostile. A template has slots such as <c>{adj}</c>; each is filled from the comment's
/// tone, or from the common words where the tone has no such slot, and no slot gets the same filler twice in a comment. Prompts have
/// common slots only.
/// </summary>
public sealed partial class CommentGrammar
{
    private readonly IReadOnlyList<GrammarTone> _tones;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _common;
    private readonly Template[] _prompts, _continuations;
    private readonly HashSet<string> _toxicWords;
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _toxicWordsBySpan;
    private readonly double _weights;

    public CommentGrammar(
        IReadOnlyList<GrammarTone> tones, IReadOnlyDictionary<string, IReadOnlyList<string>> common, IReadOnlyList<string> prompts,
        IReadOnlyList<string> continuations)
    {
        (_tones, _common) = (tones, common);
        _prompts = [.. prompts.Select(Template.Parse)];
        _continuations = [.. continuations.Select(Template.Parse)];
        _weights = tones.Sum(t => t.Weight);
        _toxicWords = tones.Where(t => t.Toxic).SelectMany(Lexicon).ToHashSet(StringComparer.Ordinal);
        _toxicWordsBySpan = _toxicWords.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>One line for everything that would make a comment impossible or its label wrong.</summary>
    public IEnumerable<string> Problems()
    {
        if (_tones.Count == 0 || _prompts.Length == 0 || _continuations.Length == 0)
        {
            yield return "expected at least one tone, one prompt and one continuation";
            yield break;
        }

        foreach (var tone in _tones.Where(t => t.Weight is not (> 0 and < double.PositiveInfinity)))
        {
            yield return $"tone '{tone.Name}' has the weight {tone.Weight}, expected more than 0";
        }

        foreach (var problem in ShortSlots().Distinct())
        {
            yield return problem;
        }

        var neutral = _common.Values.SelectMany(v => v).Concat(_prompts.Concat(_continuations).Select(t => t.Text))
            .SelectMany(t => t.Split(' ')).ToHashSet(StringComparer.Ordinal);
        foreach (var word in _tones.SelectMany(Lexicon).GroupBy(w => w, StringComparer.Ordinal)
            .Where(g => g.Count() > 1 || g.Key.Contains(' ', StringComparison.Ordinal) || neutral.Contains(g.Key)))
        {
            yield return $"the tone word '{word.Key}' must be one word that stands nowhere else in the grammar, since "
                + "it alone decides a label";
        }
    }

    /// <summary>A comment as a pure function of seed and ordinal.</summary>
    public Comment Generate(long seed, int ordinal)
    {
        // K = 1 keeps this stream separate from the drawing of prompts, which has the same stage.
        var draws = new Draws(new RandomKey(seed, 0, Stage.Prompts, ordinal, K: 1));
        var used = new HashSet<(string Slot, string Filler)>();
        var prompt = Fill(draws.One(_prompts), tone: null, used, draws);
        var tone = Tone(draws);
        return new Comment(prompt, " " + Fill(draws.One(_continuations), tone, used, draws), tone.Name);
    }

    /// <summary>
    /// The ground truth of any text, generated here or by a model: whether one of its words, split at blanks, belongs to a toxic tone.
    /// </summary>
    public bool IsToxic(string text)
    {
        foreach (var range in text.AsSpan().Split(' '))
        {
            if (_toxicWordsBySpan.Contains(text.AsSpan()[range]))
            {
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<string> Lexicon(GrammarTone tone) => tone.Slots.Values.SelectMany(v => v);

    private GrammarTone Tone(Draws draws)
    {
        var rest = draws.Uniform() * _weights;
        foreach (var tone in _tones)
        {
            rest -= tone.Weight;
            if (rest < 0)
            {
                return tone;
            }
        }

        return _tones[^1];
    }

    private string Fill(Template template, GrammarTone? tone, HashSet<(string Slot, string Filler)> used, Draws draws) =>
        template.Fill(slot =>
        {
            var filler = draws.One([.. Fillers(slot, tone).Where(f => !used.Contains((slot, f)))]);
            used.Add((slot, filler));
            return filler;
        });

    private IReadOnlyList<string> Fillers(string slot, GrammarTone? tone) =>
        tone is not null && tone.Slots.TryGetValue(slot, out var own) ? own : _common.GetValueOrDefault(slot, []);

    private IEnumerable<string> ShortSlots()
    {
        foreach (var prompt in _prompts)
        {
            foreach (var slot in prompt.Slots.CountBy(s => s).Where(s => Fillers(s.Key, null).Distinct().Count() < s.Value))
            {
                yield return $"the prompt '{prompt.Text}' needs {slot.Value} different fillers for {{{slot.Key}}} in 'common'";
            }
        }

        foreach (var (tone, continuation) in _tones.SelectMany(t => _continuations.Select(c => (t, c))))
        {
            foreach (var (slot, count) in continuation.Slots.CountBy(s => s))
            {
                // A common filler may already stand in the prompt.
                var needed = count + (tone.Slots.ContainsKey(slot) ? 0 : _prompts.Max(p => p.Slots.Count(s => s == slot)));
                if (Fillers(slot, tone).Distinct().Count() < needed)
                {
                    yield return $"the continuation '{continuation.Text}' needs {needed} different fillers for {{{slot}}} in the tone "
                        + $"'{tone.Name}' or in 'common'";
                }
            }
        }
    }

    /// <summary>The comment's own random numbers, one after the other.</summary>
    private sealed class Draws(RandomKey key)
    {
        private uint _position;

        public double Uniform() => Philox.Uniform(key, _position++);

        public T One<T>(IReadOnlyList<T> items) => items[Philox.Integer(key, _position++, items.Count)];
    }

    private sealed partial record Template(string Text, string[] Slots)
    {
        public static Template Parse(string text) => new(text, [.. Slot().Matches(text).Select(m => m.Groups[1].Value)]);

        public string Fill(Func<string, string> filler) => Slot().Replace(Text, m => filler(m.Groups[1].Value));

        [GeneratedRegex(@"\{(\w+)\}")]
        private static partial Regex Slot();
    }
}
