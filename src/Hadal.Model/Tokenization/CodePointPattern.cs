using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Hadal.Model.Tokenization;

/// <summary>
/// A regular expression over code points, run by the platform's engine, which knows only UTF-16 units.
/// </summary>
/// <remarks>
/// Code points above U+FFFF fall into few kinds as far as one pattern can tell: those that the same of its sets contain. Each kind gets a stand-in from
/// the surrogate units, which well-formed text has no other use for. Sets are written as ranges of units plus the stand-ins of the kinds they contain,
/// and text that has surrogate pairs is matched through a copy in which every pair is one stand-in. So classes, negated classes, the dot,
/// look-behind and repetition counts all see code points. The backtracking engine is used: it is faster here than the automaton engine, which refuses
/// look-around and builds states without bound for such large sets. A time limit guards against patterns and texts it cannot handle.
/// </remarks>
internal sealed class CodePointPattern : IPieceMatcher
{
    private const int StandIns = 0xE000 - 0xD800;
    private const int LongestTranslation = 1_000_000;
    private static readonly TimeSpan _longestMatch = TimeSpan.FromSeconds(10);

    // A pattern is compiled once it has seen this much text; for less the interpreter is through before the compiler would be.
    private const long CompileAfter = 100_000;

    private readonly string _pattern;
    private Regex _regex;
    private long _seen;

    // Ascending first code points of the stretches above U+FFFF that are of one kind, and the stand-in of each.
    private readonly int[] _stretches;
    private readonly char[] _standIns;

    /// <summary>Reads and translates a pattern.</summary>
    /// <param name="pattern">The pattern as the file has it.</param>
    /// <param name="place">Where it stands, for errors.</param>
    /// <param name="timeout">How long one match may take; 10 s when null.</param>
    internal CodePointPattern(string pattern, FilePlace place, TimeSpan? timeout = null)
    {
        _pattern = pattern;
        List<PatternParser.Part> parts = PatternParser.Parse(pattern, place);
        CodePointSet[] sets = [.. parts.Where(static p => p.Set is not null).Select(static p => p.Set!).Distinct()];
        (_stretches, _standIns) = AssignStandIns(sets, place);
        Dictionary<CodePointSet, string> written = [];
        foreach (CodePointSet set in sets) written.Add(set, Write(set));
        StringBuilder translation = new();
        foreach ((string? text, CodePointSet? set) in parts)
        {
            translation.Append(text ?? written[set!]);
            if (translation.Length > LongestTranslation)
                throw place.Fault($"the pattern {FilePlace.Quote(pattern)} is too large once its character sets are written out");
        }

        try
        {
            _regex = new Regex(translation.ToString(), RegexOptions.CultureInvariant, timeout ?? _longestMatch);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw place.Fault($"the pattern {FilePlace.Quote(pattern)} is not a usable regular expression", e);
        }
    }

    /// <inheritdoc/>
    public void FindAll(ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            Run(text, text, matches);
            return;
        }

        char[] copy = ArrayPool<char>.Shared.Rent(text.Length);
        int length = 0;
        for (int i = 0; i < text.Length; i++)
            copy[length++] = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? StandIn(char.ConvertToUtf32(text[i], text[++i])) : text[i];
        try
        {
            Run(copy.AsSpan(0, length), text, matches);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(copy);
        }
    }

    private void Run(ReadOnlySpan<char> haystack, ReadOnlySpan<char> text, List<(int Start, int End)> matches)
    {
        // Several threads may get here at once; each may compile, which is wasteful once and wrong never.
        _seen += text.Length;
        if (_seen > CompileAfter && !_regex.Options.HasFlag(RegexOptions.Compiled))
            _regex = new Regex(_regex.ToString(), _regex.Options | RegexOptions.Compiled, _regex.MatchTimeout);
        bool sameUnits = haystack.Length == text.Length;
        int unit = 0, codePoint = 0, lastEnd = -1;
        try
        {
            foreach (ValueMatch match in _regex.EnumerateMatches(haystack))
            {
                // As the reference does: nothing right after a match is no match of its own.
                if (match.Length == 0 && match.Index == lastEnd) continue;
                lastEnd = match.Index + match.Length;
                int start = UnitOf(match.Index, text);
                matches.Add((start, UnitOf(lastEnd, text)));
            }
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new TokenizerException(null, null, $"the pre-tokenizer pattern {FilePlace.Quote(_pattern)} takes longer than "
                + $"{_regex.MatchTimeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s on a stretch of {text.Length} characters", e);
        }

        // Matches come in order, so one walk over the text finds where each code point starts.
        int UnitOf(int index, ReadOnlySpan<char> source)
        {
            if (sameUnits) return index;
            for (; codePoint < index; codePoint++) unit += char.IsHighSurrogate(source[unit]) ? 2 : 1;
            return unit;
        }
    }

    private char StandIn(int codePoint)
    {
        int index = Array.BinarySearch(_stretches, codePoint);
        return _standIns[index >= 0 ? index : ~index - 1];
    }

    private static (int[] Stretches, char[] StandIns) AssignStandIns(CodePointSet[] sets, FilePlace place)
    {
        SortedSet<int> starts = [0x10000];
        foreach (CodePointSet set in sets)
            foreach (int bound in set.Bounds)
                if (bound is > 0x10000 and < CodePointSet.Limit) starts.Add(bound);
        int[] stretches = [.. starts];
        char[] standIns = new char[stretches.Length];
        Dictionary<string, char> kinds = new(StringComparer.Ordinal);
        char[] signature = new char[sets.Length];
        for (int i = 0; i < stretches.Length; i++)
        {
            for (int s = 0; s < sets.Length; s++) signature[s] = sets[s].Contains(stretches[i]) ? '1' : '0';
            string kind = new(signature);
            if (!kinds.TryGetValue(kind, out standIns[i]))
            {
                if (kinds.Count == StandIns) throw place.Fault("the pattern tells too many kinds of characters above U+FFFF apart");
                kinds.Add(kind, standIns[i] = (char)(0xD800 + kinds.Count));
            }
        }

        return (stretches, standIns);
    }

    /// <summary>Writes a set as a .NET class of UTF-16 units: its ranges below the surrogates and above them, and its stand-ins.</summary>
    private string Write(CodePointSet set)
    {
        StringBuilder text = new("[");
        ReadOnlySpan<int> bounds = set.Bounds;
        for (int i = 0; i < bounds.Length; i += 2)
        {
            Append(bounds[i], Math.Min(bounds[i + 1], 0xD800) - 1);
            Append(Math.Max(bounds[i], 0xE000), Math.Min(bounds[i + 1], 0x10000) - 1);
        }

        foreach (char standIn in _standIns.Where((_, i) => set.Contains(_stretches[i])).Distinct().Order()) Append(standIn, standIn);
        return text.Length > 1 ? text.Append(']').ToString() : @"[^\s\S]";

        void Append(int first, int last)
        {
            if (first > last) return;
            text.Append(CultureInfo.InvariantCulture, $"\\u{first:X4}");
            if (last > first) text.Append(CultureInfo.InvariantCulture, $"-\\u{last:X4}");
        }
    }
}
